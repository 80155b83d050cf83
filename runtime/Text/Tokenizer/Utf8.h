//===- Utf8.h - Stepping through bytes that may be UTF-8 --------*- C++ -*-===//
//
// "a\xE2\x82\xAC\xFF\xE2\x82"  =>  Valid 1, Valid 3, Invalid 1, Incomplete 2
//
// Well-formed means table 3-7 of the Unicode standard: no overlong forms, no
// surrogates, nothing above U+10FFFF.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_UTF8_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_UTF8_H

#include <cstddef>
#include <string>
#include <string_view>

namespace llamart {

enum class Utf8Status {
  Valid,      ///< one character
  Invalid,    ///< the longest beginning of a character that goes wrong after it
  Incomplete, ///< the text ends inside a character that may be valid
};

struct Utf8Step {
  Utf8Status status;
  size_t length;          ///< bytes, at least 1
  char32_t character = 0; ///< of a valid one
};

/// Looks at the front of `text`, which must not be empty.
Utf8Step stepUtf8(std::string_view text);

/// A text with U+FFFD in place of every byte that is not of a character.
std::string replaceInvalid(std::string_view text);

/// Bytes of the longest valid beginning of `text`.
size_t getValidPrefix(std::string_view text);

/// Bytes up to the next valid character, or all of them.
size_t getInvalidPrefix(std::string_view text);

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_UTF8_H
