//===- Strings.cpp - What Python's str does to texts ----------------------===//

#include "runtime/Text/Jinja/Strings.h"

#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>

namespace llamart::jinja {
namespace {

bool has(Sides sides, Sides side) {
  return (static_cast<uint8_t>(sides) & static_cast<uint8_t>(side)) != 0;
}

bool isSpaceAt(std::string_view text, size_t at) {
  text.remove_prefix(at);
  return isSpace(takeCharacter(text));
}

/// Each character becomes what `change` says, of the same origin: of the
/// character, whether the one before has case, and what comes after.
template <typename Change>
Text changeInContext(const Text &text, Change change) {
  Text out;
  bool wasCased = false;
  for (size_t at = 0; at < text.size();) {
    std::string_view rest = text.bytes().substr(at);
    char32_t c = takeCharacter(rest);
    out.append(change(c, wasCased, rest), text.getOrigin(at));
    wasCased = isCased(c);
    at = text.size() - rest.size();
  }
  return out;
}

template <std::string (*change)(char32_t)>
Text changeEach(const Text &text) {
  return changeInContext(
      text, [](char32_t c, bool, std::string_view) { return change(c); });
}

/// The final sigma: Σ after a letter with case and before none.
constexpr char32_t kSigma = 0x3A3;

std::string lowerAt(char32_t c, bool wasCased, std::string_view rest) {
  bool isFinal = c == kSigma && wasCased &&
                 (rest.empty() || !isCased(takeCharacter(rest)));
  return isFinal ? "\xCF\x82" : toLower(c);
}

size_t findSpaceEnd(std::string_view text, size_t at, bool space) {
  while (at < text.size() && isSpaceAt(text, at) == space)
    at += getCharacterSize(text, at);
  return at;
}

bool isLineEnd(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 ||
         c == 0x2028 || c == 0x2029;
}

} // namespace

Text strip(const Text &text, Sides sides,
           std::optional<std::string_view> characters) {
  std::vector<size_t> begins = findCharacters(text.bytes());
  auto goes = [&](size_t index) {
    size_t at = begins[index];
    if (!characters)
      return isSpaceAt(text.bytes(), at);
    std::string_view one = text.bytes().substr(at, begins[index + 1] - at);
    return characters->find(one) != std::string_view::npos;
  };
  size_t first = 0, last = begins.size() - 1;
  while (has(sides, Sides::Left) && first < last && goes(first))
    ++first;
  while (has(sides, Sides::Right) && first < last && goes(last - 1))
    --last;
  return text.slice(begins[first], begins[last]);
}

std::vector<Text> splitAtSpace(const Text &text, int64_t most) {
  std::vector<Text> parts;
  std::string_view bytes = text.bytes();
  for (size_t at = findSpaceEnd(bytes, 0, true); at < bytes.size();) {
    addBytes(sizeof(Text));
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(strip(text.slice(at, text.size()), Sides::Right));
      break;
    }
    size_t end = findSpaceEnd(bytes, at, false);
    parts.push_back(text.slice(at, end));
    at = findSpaceEnd(bytes, end, true);
  }
  return parts;
}

std::vector<Text> splitAtSpaceFromRight(const Text &text, int64_t most) {
  if (most < 0)
    return splitAtSpace(text, most);
  std::vector<Text> parts;
  std::vector<size_t> begins = findCharacters(text.bytes());
  auto skip = [&](size_t end, bool space) {
    while (end > 0 && isSpaceAt(text.bytes(), begins[end - 1]) == space)
      --end;
    return end;
  };
  for (size_t end = skip(begins.size() - 1, true); end > 0;) {
    addBytes(sizeof(Text));
    bool isLast = static_cast<int64_t>(parts.size()) == most;
    size_t begin = isLast ? 0 : skip(end, false);
    parts.push_back(text.slice(begins[begin], begins[end]));
    end = skip(begin, true);
  }
  std::ranges::reverse(parts);
  return parts;
}

std::vector<Text> splitAt(const Text &text, std::string_view separator,
                          int64_t most) {
  std::vector<Text> parts;
  size_t begin = 0;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    size_t end = text.bytes().find(separator, begin);
    if (end == std::string_view::npos)
      break;
    addBytes(sizeof(Text));
    parts.push_back(text.slice(begin, end));
    begin = end + separator.size();
  }
  parts.push_back(text.slice(begin, text.size()));
  return parts;
}

std::vector<Text> splitAtFromRight(const Text &text, std::string_view separator,
                                   int64_t most) {
  std::vector<Text> parts;
  size_t end = text.size();
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    size_t begin = text.bytes().substr(0, end).rfind(separator);
    if (begin == std::string_view::npos)
      break;
    addBytes(sizeof(Text));
    parts.push_back(text.slice(begin + separator.size(), end));
    end = begin;
  }
  parts.push_back(text.slice(0, end));
  std::ranges::reverse(parts);
  return parts;
}

std::vector<Text> splitLines(const Text &text, bool keepEnds) {
  std::vector<Text> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    std::string_view rest = text.bytes().substr(at);
    char32_t c = takeCharacter(rest);
    if (c == '\r' && rest.starts_with('\n'))
      rest.remove_prefix(1);
    size_t next = text.size() - rest.size();
    if (isLineEnd(c)) {
      addBytes(sizeof(Text));
      lines.push_back(text.slice(begin, keepEnds ? next : at));
      begin = next;
    }
    at = next;
  }
  if (begin < text.size())
    lines.push_back(text.slice(begin, text.size()));
  return lines;
}

Text joinTexts(const Text &separator, const std::vector<Text> &parts) {
  Text out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0)
      out.append(separator);
    out.append(parts[i]);
  }
  return out;
}

static Text replaceNothing(const Text &text, const Text &after, int64_t most) {
  Text out;
  std::vector<size_t> begins = findCharacters(text.bytes());
  for (size_t i = 0; i < begins.size(); ++i) {
    if (most < 0 || static_cast<int64_t>(i) < most)
      out.append(after);
    if (i + 1 < begins.size())
      out.append(text, begins[i], begins[i + 1]);
  }
  return out;
}

Text replaceText(const Text &text, std::string_view before, const Text &after,
                 int64_t most) {
  if (before.empty())
    return replaceNothing(text, after, most);
  return joinTexts(after, splitAt(text, before, most));
}

int64_t countText(std::string_view text, std::string_view part) {
  if (part.empty())
    return static_cast<int64_t>(countCharacters(text)) + 1;
  int64_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++count;
  return count;
}

Text makeUpper(const Text &text) { return changeEach<toUpper>(text); }

Text makeLower(const Text &text) { return changeInContext(text, lowerAt); }

Text makeTitle(const Text &text) {
  return changeInContext(
      text, [](char32_t c, bool wasCased, std::string_view rest) {
        return wasCased ? lowerAt(c, wasCased, rest) : toTitle(c);
      });
}

Text makeCapitalized(const Text &text) {
  if (text.empty())
    return {};
  size_t size = getCharacterSize(text.bytes(), 0);
  Text out = changeEach<toTitle>(text.slice(0, size));
  Text lower = makeLower(text);
  // The first character may have another size in lower case.
  std::string_view first = text.bytes();
  out.append(lower, toLower(takeCharacter(first)).size(), lower.size());
  return out;
}

Text swapCase(const Text &text) {
  return changeInContext(
      text, [](char32_t c, bool wasCased, std::string_view rest) {
        return isUpper(c) ? lowerAt(c, wasCased, rest) : toUpper(c);
      });
}

Text foldCase(const Text &text) { return changeEach<toFolded>(text); }

Text pad(const Text &text, int64_t width, Align align, const Text &fill) {
  int64_t missing = width - static_cast<int64_t>(countCharacters(text.bytes()));
  if (missing <= 0)
    return text;
  addBytes(static_cast<uint64_t>(missing));
  // CPython puts the odd one on the left where the width is odd.
  int64_t left = align == Align::Left    ? 0
                 : align == Align::Right ? missing
                                         : missing / 2 + (missing & width & 1);
  Text out;
  for (int64_t i = 0; i < left; ++i)
    out.append(fill);
  out.append(text);
  for (int64_t i = left; i < missing; ++i)
    out.append(fill);
  return out;
}

} // namespace llamart::jinja
