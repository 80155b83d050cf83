//===- CharacterRulesTest.cpp - Rules that lead out of their tables -------===//
//
// What right rules do is compared with the library in differential.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/CharacterRules.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

using namespace llamart;

namespace {

/// A size, a trie and a pool of texts.
std::string makeRules(std::vector<uint32_t> trie, const std::string &pool) {
  trie.insert(trie.begin(), uint32_t(trie.size() * sizeof(uint32_t)));
  std::string bytes(trie.size() * sizeof(uint32_t), '\0');
  std::memcpy(bytes.data(), trie.data(), bytes.size());
  return bytes + pool;
}

/// "a" becomes "bc": unit 0 leads to unit 256 ^ 'a', which has a leaf.
std::string makeOneRule(uint32_t leaf, const std::string &pool) {
  std::vector<uint32_t> trie(1024);
  trie[0] = 256 << 10;
  trie[256 ^ 'a'] = uint32_t('a') | 1 << 8 | (256 ^ 'a' ^ 512) << 10;
  trie[512] = leaf | 1U << 31;
  return makeRules(trie, pool);
}

TEST(CharacterRules, ReplacesWhatTheLongestRuleSays) {
  std::string kept = makeOneRule(0, std::string("bc\0", 3));
  CharacterRules rules(kept);
  EXPECT_FALSE(rules.find("b"));
  auto match = rules.find("ab");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->length, 1u);
  EXPECT_EQ(match->replacement, "bc");
}

TEST(CharacterRules, APlaceOutsideOfThePoolIsNoRule) {
  for (uint32_t leaf : {3U, 0x7FFFFFFFU}) {
    std::string bytes = makeOneRule(leaf, std::string("bc\0", 3));
    EXPECT_FALSE(CharacterRules(bytes).find("a")) << leaf;
  }
  std::string endless = makeOneRule(0, "bc");
  EXPECT_FALSE(CharacterRules(endless).find("a"));
}

TEST(CharacterRules, AUnitOutsideOfTheTrieIsNoRule) {
  std::string bytes = makeRules({0xFFFFFF00U}, std::string("bc\0", 3));
  EXPECT_FALSE(CharacterRules(bytes).find("a"));
}

TEST(CharacterRules, SizesAreChecked) {
  EXPECT_FALSE(CharacterRules("").find("a"));
  using namespace std::string_view_literals;
  for (std::string_view bytes :
       {"a"sv, "abcd"sv, "\x04\0\0\0abcd"sv, "\x03\0\0\0abcdefg"sv})
    EXPECT_THROW((void)CharacterRules(bytes), Error);
}

} // namespace
