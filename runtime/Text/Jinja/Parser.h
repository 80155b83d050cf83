//===- Parser.h - The source of a template to a tree ------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_PARSER_H
#define LLAMA_RUNTIME_TEXT_JINJA_PARSER_H

#include "runtime/Text/Jinja/Ast.h"

#include <string_view>

namespace llamart::jinja {

/// The statements of a normalized source (Lexer.h). Throws TemplateError.
Block parse(std::string_view source);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_PARSER_H
