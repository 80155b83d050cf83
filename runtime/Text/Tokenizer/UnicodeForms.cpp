//===- UnicodeForms.cpp - Normalization forms, small letters --------------===//

#include "runtime/Text/Tokenizer/UnicodeForms.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/Utf8.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

using namespace llamaabi;

namespace llamart {
namespace {

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

/// Pairs since the tables of utf8proc 2.8 (Unicode 15).
char32_t lowercaseNewer(char32_t c) {
  switch (c) {
  case 0xA7CB:
    return 0x264;
  case 0xA7DC:
    return 0x19B;
  case 0x1C89:
  case 0xA7CC:
  case 0xA7DA:
    return c + 1;
  }
  return c >= 0x10D50 && c <= 0x10D65 ? c + 0x20 : c; // Garay
}

} // namespace

void requireTextLibraries() {}

std::string normalize(TextStepKind form, std::string_view text) {
  utf8proc_uint8_t *made = nullptr;
  auto *bytes = reinterpret_cast<const utf8proc_uint8_t *>(text.data());
  utf8proc_ssize_t size =
      utf8proc_map(bytes, static_cast<utf8proc_ssize_t>(text.size()), &made,
                   static_cast<utf8proc_option_t>(getOptions(form)));
  std::unique_ptr<utf8proc_uint8_t, FreeBytes> owned(made);
  if (size < 0)
    throw Error(ErrorKind::System, "tokenizer: utf8proc cannot normalize: ",
                utf8proc_errmsg(size));
  return {reinterpret_cast<const char *>(made), static_cast<size_t>(size)};
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
