//===- Check.cpp - Whether a chat template can be parsed ------------------===//

#include "runtime/Text/Jinja/Check.h"

#include "runtime/Text/Jinja/Template.h"
#include "runtime/Text/Jinja/TemplateError.h"

namespace llamart::jinja {

std::string findProblem(std::string_view source) {
  try {
    Template::parse(source);
    return "";
  } catch (const TemplateError &error) {
    return error.what();
  }
}

} // namespace llamart::jinja
