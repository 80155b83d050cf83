//===- StringLiteral.h - What a quoted string means -------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_STRINGLITERAL_H
#define LLAMA_RUNTIME_TEXT_JINJA_STRINGLITERAL_H

#include <string>
#include <string_view>

namespace llamart::jinja {

/// The text between the quotes with its escapes replaced: "a\\n" is "a" and a
/// line end. Throws Failure for an escape that is none.
std::string unescapeString(std::string_view text);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_STRINGLITERAL_H
