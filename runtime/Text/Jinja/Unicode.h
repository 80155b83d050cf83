//===- Unicode.h - Characters as Python's str sees them ---------*- C++ -*-===//
//
// Code points of UTF-8, their classes and their case. The tables are those of
// Python's unicodedata; make_unicode_tables.py writes them.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_UNICODE_H
#define LLAMA_RUNTIME_TEXT_JINJA_UNICODE_H

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace llamart::jinja {

/// Takes the character at the front; U+FFFD for a byte that begins none.
char32_t takeCharacter(std::string_view &text);
/// Bytes of the character that begins at `offset`.
size_t getCharacterSize(std::string_view text, size_t offset);
void appendCharacter(std::string &text, char32_t character);
size_t countCharacters(std::string_view text);
/// Where each character begins, and the end.
std::vector<size_t> findCharacters(std::string_view text);

bool isSpace(char32_t c);     ///< str.isspace
bool isAlpha(char32_t c);     ///< str.isalpha
bool isDecimal(char32_t c);   ///< str.isdecimal
bool isDigit(char32_t c);     ///< str.isdigit
bool isNumeric(char32_t c);   ///< str.isnumeric
bool isUpper(char32_t c);     ///< str.isupper of one character
bool isLower(char32_t c);     ///< str.islower of one character
bool isCased(char32_t c);     ///< upper, lower or title case
bool isPrintable(char32_t c); ///< str.isprintable

/// str.upper, .lower, .title and .casefold of one character, which may be
/// several then.
std::string toUpper(char32_t c);
std::string toLower(char32_t c);
std::string toTitle(char32_t c);
std::string toFolded(char32_t c);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_UNICODE_H
