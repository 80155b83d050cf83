//===- Unicode.cpp - Characters as Python's str sees them -----------------===//

#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace llamart::jinja {
namespace {

struct CharacterRange {
  uint32_t first, last;
};

/// Every `step`-th character from first to last becomes itself + difference.
struct CaseRun {
  uint32_t first, last, step;
  int32_t difference;
};

struct CaseException {
  uint32_t character;
  const char *becomes;
};

#include "runtime/Text/Jinja/UnicodeTables.inc"

bool isIn(std::span<const CharacterRange> ranges, char32_t c) {
  auto range = std::ranges::lower_bound(ranges, c, {}, &CharacterRange::last);
  return range != ranges.end() && range->first <= c;
}

std::string change(std::span<const CaseRun> runs,
                   std::span<const CaseException> exceptions, char32_t c) {
  auto exception =
      std::ranges::lower_bound(exceptions, c, {}, &CaseException::character);
  if (exception != exceptions.end() && exception->character == c)
    return exception->becomes;
  auto run = std::ranges::lower_bound(runs, c, {}, &CaseRun::last);
  if (run != runs.end() && run->first <= c && (c - run->first) % run->step == 0)
    c = static_cast<char32_t>(static_cast<int32_t>(c) + run->difference);
  std::string result;
  appendCharacter(result, c);
  return result;
}

/// Bytes of a character with this first byte; 0 if it begins none.
size_t getSizeByFirstByte(unsigned char byte) {
  if (byte < 0x80)
    return 1;
  if (byte >= 0xC2 && byte < 0xE0)
    return 2;
  if (byte >= 0xE0 && byte < 0xF0)
    return 3;
  return byte >= 0xF0 && byte < 0xF5 ? 4 : 0;
}

} // namespace

size_t getCharacterSize(std::string_view text, size_t offset) {
  size_t size = getSizeByFirstByte(static_cast<unsigned char>(text[offset]));
  if (size == 0 || offset + size > text.size())
    return 1;
  for (size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[offset + i]) & 0xC0) != 0x80)
      return 1;
  return size;
}

char32_t takeCharacter(std::string_view &text) {
  size_t size = getCharacterSize(text, 0);
  auto byte = [&](size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  char32_t c = byte(0);
  if (size == 1 && c >= 0x80)
    c = 0xFFFD;
  else if (size > 1)
    c &= 0xFFU >> (size + 1);
  for (size_t i = 1; i < size; ++i)
    c = (c << 6) | (byte(i) & 0x3F);
  text.remove_prefix(size);
  return c;
}

void appendCharacter(std::string &text, char32_t c) {
  auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
    return;
  }
  if (c < 0x800) {
    put(0xC0 | (c >> 6));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

size_t countCharacters(std::string_view text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); i += getCharacterSize(text, i))
    ++count;
  return count;
}

std::vector<size_t> findCharacters(std::string_view text) {
  std::vector<size_t> begins;
  for (size_t i = 0; i < text.size(); i += getCharacterSize(text, i))
    begins.push_back(i);
  begins.push_back(text.size());
  return begins;
}

bool isSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool isAlpha(char32_t c) { return isIn(kAlpha, c); }
bool isDecimal(char32_t c) { return isIn(kDecimal, c); }
bool isDigit(char32_t c) { return isIn(kDigit, c); }
bool isNumeric(char32_t c) { return isIn(kNumeric, c); }
bool isUpper(char32_t c) { return isIn(kUpper, c); }
bool isLower(char32_t c) { return isIn(kLower, c); }
bool isPrintable(char32_t c) { return isIn(kPrintable, c); }
bool isCased(char32_t c) {
  return isUpper(c) || isLower(c) || isIn(kTitleCase, c);
}

std::string toUpper(char32_t c) {
  return change(kToUpper, kToUpperExceptions, c);
}
std::string toLower(char32_t c) {
  return change(kToLower, kToLowerExceptions, c);
}
std::string toTitle(char32_t c) {
  return change(kToTitle, kToTitleExceptions, c);
}
std::string toFolded(char32_t c) {
  return change(kToLower, kToFoldedExceptions, c);
}

} // namespace llamart::jinja
