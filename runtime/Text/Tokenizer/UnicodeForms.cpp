//===- UnicodeForms.cpp - Normalization forms, small letters --------------===//

#include "runtime/Text/Tokenizer/UnicodeForms.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/Utf8.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

using namespace llamaabi;

namespace llamart {
namespace {

/// Characters that the tables of `tokenizers` (Unicode 9) have no decomposition
/// or combining class for, and utf8proc's have: they stay as they are, and
/// nothing moves across them.
constexpr std::pair<char32_t, char32_t> kUnknownRanges[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},
    {0x9FE, 0x9FE},     {0xC3C, 0xC3C},     {0xD3B, 0xD3C},
    {0xEBA, 0xEBA},     {0xECE, 0xECE},     {0x1715, 0x1715},
    {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},   {0x32FF, 0x32FF},
    {0xA7F2, 0xA7F4},   {0xA82C, 0xA82C},   {0xAB69, 0xAB69},
    {0x10781, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA},
    {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070},
    {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x11839, 0x1183A},
    {0x11930, 0x11930}, {0x11938, 0x11938}, {0x1193D, 0x1193E},
    {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34},
    {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42},
    {0x11D44, 0x11D45}, {0x11D97, 0x11D97}, {0x11F41, 0x11F42},
    {0x16FF0, 0x16FF1}, {0x1E030, 0x1E06D}, {0x1E08F, 0x1E08F},
    {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF},
    {0x1E4EC, 0x1E4EF}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9}};

bool isUnknown(char32_t c) {
  const auto *range = std::ranges::lower_bound(
      kUnknownRanges, c, std::less<>(), &std::pair<char32_t, char32_t>::second);
  return range != std::end(kUnknownRanges) && c >= range->first;
}

struct FreeBytes {
  void operator()(utf8proc_uint8_t *bytes) const { std::free(bytes); }
};

int getOptions(TextStepKind form) {
  switch (form) {
  case TextStepKind::NFC:
    return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  case TextStepKind::NFD:
    return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  case TextStepKind::NFKC:
    return UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
  default:
    return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
  }
}

/// Pairs of Unicode 16 and 17, which utf8proc 2.8 does not know.
char32_t lowercaseNewer(char32_t c) {
  if (c == 0xA7CB)
    return 0x264;
  if (c == 0xA7DC)
    return 0x19B;
  if (c == 0x1C89 || c == 0xA7CC || c == 0xA7CE || c == 0xA7D2 || c == 0xA7D4 ||
      c == 0xA7DA)
    return c + 1;
  if (c >= 0x16EA0 && c <= 0x16EB8)
    return c + 0x1B;
  return c >= 0x10D50 && c <= 0x10D65 ? c + 0x20 : c; // Garay
}

} // namespace

void requireTextLibraries() {}

static std::string normalizeKnown(TextStepKind form, std::string_view text) {
  utf8proc_uint8_t *made = nullptr;
  auto *bytes = reinterpret_cast<const utf8proc_uint8_t *>(text.data());
  // The enum's values are bits of a set.
  // NOLINTBEGIN(clang-analyzer-optin.core.EnumCastOutOfRange)
  utf8proc_ssize_t size =
      utf8proc_map(bytes, static_cast<utf8proc_ssize_t>(text.size()), &made,
                   static_cast<utf8proc_option_t>(getOptions(form)));
  // NOLINTEND(clang-analyzer-optin.core.EnumCastOutOfRange)
  std::unique_ptr<utf8proc_uint8_t, FreeBytes> owned(made);
  if (size < 0)
    throw Error(ErrorKind::System, "tokenizer: utf8proc cannot normalize: ",
                utf8proc_errmsg(size));
  return {reinterpret_cast<const char *>(made), static_cast<size_t>(size)};
}

std::string normalize(TextStepKind form, std::string_view text) {
  std::string result;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    Utf8Step step = stepUtf8(text.substr(at));
    if (isUnknown(step.character)) {
      result += normalizeKnown(form, text.substr(done, at - done));
      result += text.substr(at, step.length);
      done = at + step.length;
    }
    at += step.length;
  }
  return result + normalizeKnown(form, text.substr(done));
}

std::string lowercase(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    Utf8Step step = stepUtf8(text);
    if (step.character == 0x130) { // the one that becomes two
      result += "i\xCC\x87";
    } else if (step.status == Utf8Status::Valid) {
      auto lower = static_cast<char32_t>(
          utf8proc_tolower(static_cast<utf8proc_int32_t>(step.character)));
      utf8proc_uint8_t bytes[4];
      auto size = utf8proc_encode_char(
          static_cast<utf8proc_int32_t>(lowercaseNewer(lower)), bytes);
      result.append(reinterpret_cast<const char *>(bytes),
                    static_cast<size_t>(size));
    }
    text.remove_prefix(step.length);
  }
  return result;
}

} // namespace llamart
