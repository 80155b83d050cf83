//===- Lexer.h - The source of a template to tokens -------------*- C++ -*-===//
//
// "Hi {{ user }}!\n"  =>  Data "Hi ", VariableBegin, Name user, VariableEnd,
//                         Data "!", End
//
// As Jinja2 3.1 does with trim_blocks and lstrip_blocks. Comments, raw blocks
// and all that `-` and `+` beside a tag say about white space are gone then.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_LEXER_H
#define LLAMA_RUNTIME_TEXT_JINJA_LEXER_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llamart::jinja {

enum class TokenKind : uint8_t {
  Data,
  VariableBegin,
  VariableEnd,
  BlockBegin,
  BlockEnd,
  Name,
  String,
  Integer,
  Float,
  Operator,
  End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  size_t offset = 0; ///< into the source
  std::string text;  ///< of a string: what it means, without quotes
  int64_t integer = 0;
  double real = 0;
};

/// Every line end as \n, the last one dropped.
std::string normalizeSource(std::string_view source);

/// Tokens of a normalized source; the last is End. Throws TemplateError.
std::vector<Token> tokenize(std::string_view source);

/// "name 'x'", "the end of the template", ...: how an error names a token.
std::string describe(const Token &token);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_LEXER_H
