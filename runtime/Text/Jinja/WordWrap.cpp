//===- WordWrap.cpp - Lines of a width ------------------------------------===//
//
// What Python's textwrap.wrap does to one line, with its settings in Jinja's
// wordwrap: tabs stay, spaces at the ends of lines go.
//
//   "well-known words", 6  =>  "well-", "known", "words"
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/Strings.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>

namespace llamart::jinja {
namespace {

/// textwrap knows no white space but that of ASCII.
bool isWrapSpace(char32_t c) { return (c >= 0x09 && c <= 0x0D) || c == ' '; }

bool isWord(char32_t c) {
  return c == '_' || isAlpha(c) || isDecimal(c) || isDigit(c) || isNumeric(c);
}

bool isLetter(char32_t c) { return isWord(c) && !isDecimal(c); }

/// What a dash of two or more may stand after.
bool isBeforeDash(char32_t c) {
  return isWord(c) ||
         (c < 0x80 && std::string_view("!\"'&.,?").find(static_cast<char>(c)) !=
                          std::string_view::npos);
}

/// A line as characters, to be cut where it may be broken. Places are indices
/// of characters; what lies outside of the line is the character 0.
class Line {
public:
  Line(const Text &text, bool breaksOnHyphens)
      : breaksOnHyphens(breaksOnHyphens) {
    for (std::string_view rest = text.bytes(); !rest.empty();)
      characters.push_back(takeCharacter(rest));
  }

  size_t size() const { return characters.size(); }
  char32_t at(size_t place) const {
    return place < size() ? characters[place] : 0;
  }

  /// Where the piece ends that begins at `begin`.
  size_t findEnd(size_t begin) const {
    bool space = isWrapSpace(at(begin));
    if (space || !breaksOnHyphens)
      return findClassEnd(begin, space);
    if (isDash(begin))
      return findDashEnd(begin);
    for (size_t end = begin + 1;; ++end) {
      if (end == size() || isWrapSpace(at(end)) || isDash(end))
        return end;
      if (at(end) == '-' && mayBreakAfter(end))
        return end + 1;
    }
  }

  /// Whether all of [begin, end) is white space.
  bool isBlank(size_t begin, size_t end) const {
    return std::all_of(characters.begin() + static_cast<ptrdiff_t>(begin),
                       characters.begin() + static_cast<ptrdiff_t>(end),
                       isSpace);
  }

  /// Where a word of [begin, end) is broken that is too long: after its last
  /// hyphen if there is something before it.
  size_t findBreak(size_t begin, size_t end) const {
    size_t hyphen = end;
    while (breaksOnHyphens && hyphen > begin && at(hyphen - 1) != '-')
      --hyphen;
    for (size_t i = begin; i + 1 < hyphen; ++i)
      if (at(i) != '-')
        return hyphen;
    return end;
  }

private:
  size_t findClassEnd(size_t end, bool space) const {
    while (end < size() && isWrapSpace(at(end)) == space)
      ++end;
    return end;
  }
  size_t findDashEnd(size_t end) const {
    while (at(end) == '-')
      ++end;
    return end;
  }
  /// Two hyphens or more between words.
  bool isDash(size_t place) const {
    size_t end = findDashEnd(place);
    return place > 0 && end - place >= 2 && isBeforeDash(at(place - 1)) &&
           isWord(at(end));
  }
  /// Of a hyphen between two letters before and two after, where each two may
  /// have a hyphen in the middle.
  bool mayBreakAfter(size_t hyphen) const {
    bool before =
        hyphen >= 2 && isLetter(at(hyphen - 1)) &&
        (isLetter(at(hyphen - 2)) ||
         (hyphen >= 3 && at(hyphen - 2) == '-' && isLetter(at(hyphen - 3))));
    size_t next = hyphen + (at(hyphen + 2) == '-' ? 3 : 2);
    return before && isLetter(at(hyphen + 1)) && isLetter(at(next));
  }

  std::vector<char32_t> characters;
  bool breaksOnHyphens;
};

/// Fills lines with pieces, one by one.
class Wrapper {
public:
  Wrapper(const Text &text, size_t width, const WrapStyle &style)
      : text(text), begins(findCharacters(text.bytes())),
        line(text, style.breaksOnHyphens), width(width),
        breaksWords(style.breaksWords) {}

  std::vector<Text> run() {
    while (begin < line.size()) {
      addSteps(1);
      if (!lines.empty() && line.isBlank(begin, takeEnd()))
        begin = takeEnd();
      if (begin < line.size())
        fillLine();
    }
    return std::move(lines);
  }

private:
  /// Of the piece at `begin`, which may be what is left of one.
  size_t takeEnd() {
    if (pieceEnd <= begin)
      pieceEnd = line.findEnd(begin);
    return pieceEnd;
  }

  void fillLine() {
    size_t first = begin, last = begin; // where the last piece begins
    while (begin < line.size() && takeEnd() - first <= width) {
      last = begin;
      begin = takeEnd();
    }
    size_t end = begin;
    if (begin < line.size() && takeEnd() - begin > width) {
      size_t left = width - (begin - first);
      if (breaksWords) {
        last = begin;
        begin = end = line.findBreak(begin, begin + left);
      } else if (begin == first) {
        begin = end = takeEnd();
      }
    }
    // Python drops the last piece if it is blank, be it that of no character.
    if (line.isBlank(last, end))
      end = last;
    if (end > first) {
      addBytes(sizeof(Text));
      lines.push_back(text.slice(begins[first], begins[end]));
    }
  }

  const Text &text;
  std::vector<size_t> begins;
  Line line;
  size_t width;
  bool breaksWords;
  size_t begin = 0, pieceEnd = 0;
  std::vector<Text> lines;
};

} // namespace

std::vector<Text> wrapLine(const Text &text, int64_t width,
                           const WrapStyle &style) {
  if (width <= 0)
    fail("wordwrap: expected a width of at least 1, found ", width);
  return Wrapper(text, static_cast<size_t>(width), style).run();
}

} // namespace llamart::jinja
