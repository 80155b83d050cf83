//===- TextSteps.cpp - Normalizers and what adds spaces -------------------===//
//
// Each step is what the class of the same name in the library `tokenizers`
// does.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/TextSteps.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/UnicodeForms.h"
#include "runtime/Text/Tokenizer/Utf8.h"

#include <algorithm>
#include <cstring>

using namespace llamaabi;

namespace llamart {
namespace {

template <typename... Parts>
[[noreturn]] void refuseSection(const Parts &...parts) {
  throw Error(ErrorKind::Model, "tokenizer: section TextSteps ", parts...);
}

bool isSpace(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string replaceAll(std::string_view text, std::string_view from,
                       std::string_view to) {
  std::string result;
  for (size_t at = 0;;) {
    size_t found = text.find(from, at);
    result += text.substr(at, found - at);
    if (found == std::string_view::npos)
      return result;
    result += to;
    at = found + from.size();
  }
}

std::string joinTexts(std::string_view first, std::string_view second) {
  std::string text(first);
  text += second;
  return text;
}

} // namespace

size_t countSpacesInFront(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    Utf8Step step = stepUtf8(text.substr(at));
    if (step.status != Utf8Status::Valid || !isSpace(step.character))
      break;
    at += step.length;
  }
  return at;
}

size_t countSpacesAtEnd(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    size_t begin = end - 1; // back to the first byte of a character
    while (begin > 0 && (text[begin] & 0xC0) == 0x80 && end - begin < 4)
      --begin;
    Utf8Step step = stepUtf8(text.substr(begin, end - begin));
    if (step.status != Utf8Status::Valid || !isSpace(step.character) ||
        begin + step.length != end)
      break;
    end = begin;
  }
  return text.size() - end;
}

TextSteps::TextSteps(std::string_view section) {
  while (!section.empty()) {
    TextStepHead head;
    if (section.size() < sizeof(head))
      refuseSection("ends inside a step");
    std::memcpy(&head, section.data(), sizeof(head));
    section.remove_prefix(sizeof(head));
    uint64_t bytes = uint64_t(head.fromBytes) + head.toBytes;
    uint64_t padded = (bytes + 3) / 4 * 4;
    if (padded > section.size())
      refuseSection("has ", section.size(),
                    " bytes for the texts of a step, expected ", padded);
    if (head.kind >= kTextStepKinds || head.phase > 1)
      refuseSection("has an unknown step: kind ", head.kind, ", phase ",
                    head.phase);
    Step step = {static_cast<TextStepKind>(head.kind),
                 static_cast<TextPhase>(head.phase),
                 section.substr(0, head.fromBytes),
                 section.substr(head.fromBytes, head.toBytes)};
    bool needsFrom = step.kind == TextStepKind::Replace ||
                     step.kind == TextStepKind::CutBefore;
    if (needsFrom && step.from.empty())
      refuseSection("has a step that looks for nothing");
    steps.push_back(step);
    section.remove_prefix(padded);
  }
}

bool TextSteps::has(TextPhase phase) const {
  return std::ranges::any_of(
      steps, [&](const Step &step) { return step.phase == phase; });
}

static std::string runStep(TextStepKind kind, std::string_view from,
                           std::string_view to, std::string text,
                           bool isStart) {
  switch (kind) {
  case TextStepKind::Replace:
    return replaceAll(text, from, to);
  case TextStepKind::Prepend:
    return text.empty() ? text : joinTexts(to, text);
  case TextStepKind::StripLeft:
    return text.substr(countSpacesInFront(text));
  case TextStepKind::StripRight:
    return text.substr(0, text.size() - countSpacesAtEnd(text));
  case TextStepKind::PrefixFirst:
    if (!isStart)
      return text;
    [[fallthrough]];
  case TextStepKind::PrefixAlways:
    return text.starts_with(to) ? text : joinTexts(to, text);
  case TextStepKind::Lowercase:
    return lowercase(text);
  case TextStepKind::NFC:
  case TextStepKind::NFD:
  case TextStepKind::NFKC:
  case TextStepKind::NFKD:
    return normalize(kind, text);
  case TextStepKind::CutBefore:
    return text;
  }
  return text;
}

std::string TextSteps::run(TextPhase phase, std::string_view text,
                           bool isStart) const {
  std::string result(text);
  for (const Step &step : steps)
    if (step.phase == phase)
      result =
          runStep(step.kind, step.from, step.to, std::move(result), isStart);
  return result;
}

void TextSteps::cut(std::string_view text,
                    const std::function<void(std::string_view)> &take) const {
  auto cutter = std::ranges::find(steps, TextStepKind::CutBefore, &Step::kind);
  if (cutter == steps.end())
    return take(text);
  while (!text.empty()) {
    size_t next = text.find(cutter->from, 1);
    take(text.substr(0, next));
    text.remove_prefix(std::min(next, text.size()));
  }
}

} // namespace llamart
