//===- Utf8Test.cpp - Stepping through bytes that may be UTF-8 ------------===//

#include "runtime/Text/Tokenizer/Utf8.h"

#include <gtest/gtest.h>

#include <string>

using namespace llamart;

namespace {

std::string encodeCharacter(uint32_t c) {
  std::string text;
  auto add = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | c >> 6);
    add(0x80 | (c & 63));
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12);
    add(0x80 | (c >> 6 & 63));
    add(0x80 | (c & 63));
  } else {
    add(0xF0 | c >> 18);
    add(0x80 | (c >> 12 & 63));
    add(0x80 | (c >> 6 & 63));
    add(0x80 | (c & 63));
  }
  return text;
}

TEST(Utf8, EveryCharacterIsValidAndEveryBeginningOfOneIncomplete) {
  for (uint32_t c = 0; c < 0x120000; ++c) {
    std::string text = encodeCharacter(c);
    bool valid = c < 0x110000 && !(c >= 0xD800 && c < 0xE000);
    Utf8Step step = stepUtf8(text);
    ASSERT_EQ(step.status == Utf8Status::Valid, valid) << c;
    if (!valid)
      continue;
    ASSERT_EQ(step.length, text.size()) << c;
    for (size_t n = 1; n < text.size(); ++n) {
      step = stepUtf8(std::string_view(text).substr(0, n));
      ASSERT_EQ(step.status, Utf8Status::Incomplete) << c;
      ASSERT_EQ(step.length, n) << c;
    }
  }
}

TEST(Utf8, OverlongFormsAreInvalidAtTheirFirstByte) {
  for (std::string text :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xF8"}) {
    Utf8Step step = stepUtf8(text);
    EXPECT_EQ(step.status, Utf8Status::Invalid);
    EXPECT_EQ(step.length, 1u);
  }
}

TEST(Utf8, PrefixesEndWhereTheyShould) {
  EXPECT_EQ(getValidPrefix("abcdefgh\xC3\xA9\xFFz"), 10u);
  EXPECT_EQ(getValidPrefix("abcdefghijklmnop\xE2\x82"), 16u);
  EXPECT_EQ(getValidPrefix(""), 0u);
  EXPECT_EQ(getInvalidPrefix("\xFF\xE2\x82\x80z"), 1u);
  EXPECT_EQ(getInvalidPrefix("\xE2\x82z"), 2u);
  EXPECT_EQ(getInvalidPrefix("\xFF\xFE"), 2u);
}

} // namespace
