//===- Strings.h - What Python's str does to texts --------------*- C++ -*-===//
//
// Over Unicode characters; origins go along (Text.h).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_STRINGS_H
#define LLAMA_RUNTIME_TEXT_JINJA_STRINGS_H

#include "runtime/Text/Jinja/Text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llamart::jinja {

enum class Sides : uint8_t { Left = 1, Right = 2, Both = 3 };
/// strip, lstrip and rstrip; without `characters` white space goes.
Text strip(const Text &text, Sides sides,
           std::optional<std::string_view> characters = {});

/// split() at white space, at most `most` times (negative: no limit).
std::vector<Text> splitAtSpace(const Text &text, int64_t most);
std::vector<Text> splitAtSpaceFromRight(const Text &text, int64_t most);
/// split(separator), which is not empty.
std::vector<Text> splitAt(const Text &text, std::string_view separator,
                          int64_t most);
std::vector<Text> splitAtFromRight(const Text &text, std::string_view separator,
                                   int64_t most);
std::vector<Text> splitLines(const Text &text, bool keepEnds);
Text joinTexts(const Text &separator, const std::vector<Text> &parts);
Text replaceText(const Text &text, std::string_view before, const Text &after,
                 int64_t most);
/// Non-overlapping places of `part`; of "": one more than characters.
int64_t countText(std::string_view text, std::string_view part);

Text makeUpper(const Text &text);
Text makeLower(const Text &text);
Text makeTitle(const Text &text);       ///< str.title
Text makeCapitalized(const Text &text); ///< str.capitalize
Text swapCase(const Text &text);
Text foldCase(const Text &text); ///< str.casefold

/// `width` characters wide, with `fill` on the left and on the right.
enum class Align : uint8_t { Left, Right, Center };
Text pad(const Text &text, int64_t width, Align align, const Text &fill);

/// How wordwrap breaks a line.
struct WrapStyle {
  bool breaksWords = true;     ///< those that are longer than a line
  bool breaksOnHyphens = true; ///< of words
};
/// Python's textwrap.wrap of one line. Throws Failure if `width` is below 1.
std::vector<Text> wrapLine(const Text &text, int64_t width,
                           const WrapStyle &style);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_STRINGS_H
