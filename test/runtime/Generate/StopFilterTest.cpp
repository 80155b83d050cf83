//===- StopFilterTest.cpp - Stop strings across pieces --------------------===//

#include "runtime/Generate/StopFilter.h"

#include <gtest/gtest.h>

using namespace llamart;

namespace {

using Pieces = std::vector<std::string>;

Pieces run(const Pieces &stops, const Pieces &pieces) {
  StopFilter filter(stops);
  Pieces result;
  for (const std::string &piece : pieces)
    result.push_back(filter.push(piece));
  result.push_back(filter.finish());
  return result;
}

TEST(StopFilter, WithoutStopStringsShowsEverythingAtOnce) {
  EXPECT_EQ(run({}, {"a", "", "bc"}), (Pieces{"a", "", "bc", ""}));
  EXPECT_EQ(run({""}, {"a", "b"}), (Pieces{"a", "b", ""}));
}

TEST(StopFilter, EndsTheTextBeforeAStopString) {
  EXPECT_EQ(run({"stop"}, {"go", " stop and", " more"}),
            (Pieces{"go", " ", "", ""}));
}

TEST(StopFilter, FindsAStopStringInPieces) {
  EXPECT_EQ(run({"\nUser:"}, {"Hi.", "\nUs", "er", ": x"}),
            (Pieces{"Hi.", "", "", "", ""}));
}

TEST(StopFilter, ShowsWhatTurnsOutToBeNoStopString) {
  EXPECT_EQ(run({"abc"}, {"xab", "d", "ab"}), (Pieces{"x", "abd", "", "ab"}));
}

TEST(StopFilter, HoldsBackTheLongestBeginningOnly) {
  // "aa" may begin "aab": of "aaa" one letter is safe.
  EXPECT_EQ(run({"aab"}, {"aaa", "ab", "z"}), (Pieces{"a", "a", "", ""}));
}

TEST(StopFilter, TakesTheEarliestOfSeveral) {
  EXPECT_EQ(run({"zz", "b"}, {"abzz"}), (Pieces{"a", ""}));
  EXPECT_EQ(run({"bcd", "c"}, {"abcd"}), (Pieces{"a", ""}));
}

TEST(StopFilter, SaysWhetherItStopped) {
  StopFilter filter({"x"});
  filter.push("a");
  EXPECT_FALSE(filter.isStopped());
  filter.push("x");
  EXPECT_TRUE(filter.isStopped());
}

// Every cut of a text into pieces gives the same text.
TEST(StopFilter, DoesNotDependOnHowTheTextIsCut) {
  const std::string text = "abcabdabcabcabe!";
  const Pieces stops = {"abcabe", "bdab!"};
  for (unsigned cuts = 0; cuts < 1u << (text.size() - 1); ++cuts) {
    Pieces pieces(1);
    for (size_t i = 0; i < text.size(); ++i) {
      pieces.back() += text[i];
      if (cuts >> i & 1)
        pieces.emplace_back();
    }
    std::string shown;
    for (const std::string &piece : run(stops, pieces))
      shown += piece;
    ASSERT_EQ(shown, "abcabdabc") << cuts;
  }
}

} // namespace
