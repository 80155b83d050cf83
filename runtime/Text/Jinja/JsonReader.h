//===- JsonReader.h - JSON to values of a template --------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_JSONREADER_H
#define LLAMA_RUNTIME_TEXT_JINJA_JSONREADER_H

#include "runtime/Text/Jinja/Value.h"

#include <string_view>

namespace llamart::jinja {

/// The value of a JSON text, keys in their order, as Python's json.loads has
/// it. Its strings are of `origin`. `what` names the text in an error. Throws
/// TemplateError: "WHAT: expected JSON, found ...".
Value readJson(std::string_view text, const std::string &what,
               Origin origin = Origin::Data);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_JSONREADER_H
