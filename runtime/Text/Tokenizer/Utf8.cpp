//===- Utf8.cpp - Stepping through bytes that may be UTF-8 ----------------===//
//
// The second byte decides over overlong forms, surrogates and the upper limit;
// bytes after it are only checked to be continuations.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/Utf8.h"

#include <cstdint>
#include <cstring>

namespace llamart {
namespace {

struct Lead {
  size_t length; ///< of the character, 0: no character begins so
  unsigned char low = 0x80, high = 0xBF; ///< limits of the second byte
};

Lead classifyLead(unsigned char byte) {
  if (byte < 0x80)
    return {1};
  if (byte < 0xC2)
    return {0};
  if (byte < 0xE0)
    return {2};
  if (byte == 0xE0)
    return {3, 0xA0, 0xBF};
  if (byte == 0xED)
    return {3, 0x80, 0x9F};
  if (byte < 0xF0)
    return {3};
  if (byte == 0xF0)
    return {4, 0x90, 0xBF};
  if (byte < 0xF4)
    return {4};
  if (byte == 0xF4)
    return {4, 0x80, 0x8F};
  return {0};
}

} // namespace

Utf8Step stepUtf8(std::string_view text) {
  Lead lead = classifyLead(static_cast<unsigned char>(text[0]));
  if (lead.length == 0)
    return {Utf8Status::Invalid, 1};
  unsigned char low = lead.low, high = lead.high;
  auto first = static_cast<unsigned char>(text[0]);
  char32_t character = lead.length == 1 ? first : first & (0x7F >> lead.length);
  for (size_t i = 1; i < lead.length; ++i) {
    if (i == text.size())
      return {Utf8Status::Incomplete, i};
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte < low || byte > high)
      return {Utf8Status::Invalid, i};
    low = 0x80;
    high = 0xBF;
    character = character << 6 | (byte & 0x3F);
  }
  return {Utf8Status::Valid, lead.length, character};
}

size_t getValidPrefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t word;
    if (text.size() - at >= sizeof(word)) { // eight ASCII characters at once
      std::memcpy(&word, text.data() + at, sizeof(word));
      if ((word & 0x8080808080808080ULL) == 0) {
        at += sizeof(word);
        continue;
      }
    }
    Utf8Step step = stepUtf8(text.substr(at));
    if (step.status != Utf8Status::Valid)
      break;
    at += step.length;
  }
  return at;
}

std::string replaceInvalid(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    size_t length = getValidPrefix(text);
    valid += text.substr(0, length);
    text.remove_prefix(length);
    for (size_t bad = getInvalidPrefix(text); bad > 0; --bad) {
      valid += "\xEF\xBF\xBD"; // U+FFFD
      text.remove_prefix(1);
    }
  }
  return valid;
}

size_t getInvalidPrefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    Utf8Step step = stepUtf8(text.substr(at));
    if (step.status == Utf8Status::Valid)
      break;
    at += step.length;
  }
  return at;
}

} // namespace llamart
