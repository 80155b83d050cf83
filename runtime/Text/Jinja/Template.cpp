//===- Template.cpp - A chat template, parsed and ready to run ------------===//

#include "runtime/Text/Jinja/Template.h"

#include "runtime/Text/Jinja/Interpreter.h"
#include "runtime/Text/Jinja/Lexer.h"
#include "runtime/Text/Jinja/Parser.h"
#include "runtime/Text/Jinja/Symbols.h"

namespace llamart::jinja {

struct Template::Program {
  std::string source;
  Block block;
  std::vector<std::string> hidden;
};

Template::Template(std::unique_ptr<Program> program)
    : program(std::move(program)) {}
Template::~Template() = default;
Template::Template(Template &&) noexcept = default;
Template &Template::operator=(Template &&) noexcept = default;

Template Template::parse(std::string_view source) {
  auto program = std::make_unique<Program>();
  program->source = normalizeSource(source);
  program->block = jinja::parse(program->source);
  program->hidden = findHiddenNames(program->block);
  return Template(std::move(program));
}

Text Template::render(const DictObject &variables,
                      std::chrono::local_seconds now,
                      const Limits &limits) const {
  Interpreter interpreter(program->source, variables, limits, now);
  return interpreter.run(program->block, program->hidden);
}

} // namespace llamart::jinja
