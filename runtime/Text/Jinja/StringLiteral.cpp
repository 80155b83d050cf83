//===- StringLiteral.cpp - What a quoted string means ---------------------===//
//
// Python's unicode-escape of text whose characters above ASCII were written as
// escapes before: a backslash before one of them makes that escape visible.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/StringLiteral.h"

#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <array>
#include <cstdio>

namespace llamart::jinja {
namespace {

constexpr char32_t kNone = 0xFFFFFFFF;

/// Takes up to `most` digits of `base`, as one number; kNone if there are
/// fewer than `least`.
char32_t takeNumber(std::string_view &text, unsigned base, size_t least,
                    size_t most) {
  char32_t value = 0;
  size_t count = 0;
  while (count < most && count < text.size()) {
    char c = text[count];
    unsigned digit = c >= '0' && c <= '9'   ? unsigned(c - '0')
                     : c >= 'a' && c <= 'f' ? unsigned(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? unsigned(c - 'A') + 10
                                            : 99;
    if (digit >= base)
      break;
    value = value * base + digit;
    ++count;
  }
  if (count < least)
    return kNone;
  text.remove_prefix(count);
  return value;
}

char getSimpleEscape(char c) {
  constexpr std::string_view kLetters = "abfnrtv\\'\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";
  size_t at = kLetters.find(c);
  return at == std::string_view::npos ? '\0' : kMeanings[at];
}

std::string spellEscape(char32_t c) {
  std::array<char, 16> text{};
  const char *form = c < 0x100     ? "\\x%02x"
                     : c < 0x10000 ? "\\u%04x"
                                   : "\\U%08x";
  std::snprintf(text.data(), text.size(), form, static_cast<unsigned>(c));
  return text.data();
}

void appendCoded(std::string &out, std::string_view &text, char letter) {
  size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
  char32_t c = takeNumber(text, 16, digits, digits);
  if (c >= 0x110000 || (c >= 0xD800 && c < 0xE000)) // kNone, too
    fail("expected ", digits, " hexadecimal digits of a character after '\\",
         letter, "', found none");
  appendCharacter(out, c);
}

/// After a backslash.
void appendEscape(std::string &out, std::string_view &text) {
  char letter = text.front();
  if (static_cast<unsigned char>(letter) >= 0x80) {
    out += spellEscape(takeCharacter(text));
    return;
  }
  if (letter >= '0' && letter <= '7') {
    appendCharacter(out, takeNumber(text, 8, 1, 3));
    return;
  }
  text.remove_prefix(1);
  if (letter == '\n')
    return;
  if (letter == 'x' || letter == 'u' || letter == 'U')
    return appendCoded(out, text, letter);
  if (letter == 'N')
    fail("expected a character by number, found one by name, '\\N'");
  char meaning = getSimpleEscape(letter);
  out += meaning ? std::string(1, meaning) : std::string{'\\', letter};
}

} // namespace

std::string unescapeString(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty())
      break;
    text.remove_prefix(1);
    appendEscape(out, text);
  }
  return out;
}

} // namespace llamart::jinja
