//===- SplitterTest.cpp - Text to the pieces that merges stay within ------===//
//
// The rules one by one; all characters and many texts are in differential.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/Splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace llamaabi;
using namespace llamart;
using Pieces = std::vector<std::string>;

namespace {

Pieces split(SplitRule rule, std::string_view text) {
  Splitter splitter(rule);
  Pieces pieces;
  splitter.split(text,
                 [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

TEST(Splitter, Llama3) {
  auto of = [](std::string_view text) {
    return split(SplitRule::Llama3, text);
  };
  EXPECT_EQ(of("Hello world"), Pieces({"Hello", " world"}));
  EXPECT_EQ(of("we'll WE'LL"), Pieces({"we", "'ll", " WE", "'LL"}));
  EXPECT_EQ(of("12345 67"), Pieces({"123", "45", " ", "67"}));
  EXPECT_EQ(of("a   b"), Pieces({"a", "  ", " b"}));
  EXPECT_EQ(of("a  \n\n b"), Pieces({"a", "  \n\n", " b"}));
  EXPECT_EQ(of("x;\r\ny"), Pieces({"x", ";\r\n", "y"}));
  EXPECT_EQ(of("end  "), Pieces({"end", "  "}));
  EXPECT_EQ(of("(a)"), Pieces({"(a", ")"}));
  EXPECT_EQ(of(""), Pieces());
}

TEST(Splitter, GPT2) {
  auto of = [](std::string_view text) { return split(SplitRule::GPT2, text); };
  EXPECT_EQ(of("we'll WE'LL"), Pieces({"we", "'ll", " WE", "'", "LL"}));
  EXPECT_EQ(of("12345 67"), Pieces({"12345", " 67"}));
  EXPECT_EQ(of("(a)"), Pieces({"(", "a", ")"}));
  EXPECT_EQ(of("a\n\n b"), Pieces({"a", "\n\n", " b"}));
}

TEST(Splitter, SmolLM) {
  auto of = [](std::string_view text) {
    return split(SplitRule::SmolLM, text);
  };
  EXPECT_EQ(of("123 45"), Pieces({"1", "2", "3", " ", "4", "5"}));
  EXPECT_EQ(of("a  1"), Pieces({"a", "  ", "1"}));
  EXPECT_EQ(of("a  b"), Pieces({"a", " ", " b"}));
}

TEST(Splitter, CharacterClassesDoNotDependOnTheLibrary) {
  auto of = [](std::string_view text) {
    return split(SplitRule::Llama3, text);
  };
  // U+180E is not white space, U+0085 is.
  EXPECT_EQ(of("a\xE1\xA0\x8E.b"), Pieces({"a", "\xE1\xA0\x8E.", "b"}));
  EXPECT_EQ(of("a\xC2\x85.b"), Pieces({"a", "\xC2\x85", ".b"}));
  // U+31350 is a letter since Unicode 15, U+11F50 a digit, U+105C0 a letter
  // of 16.
  EXPECT_EQ(of("a\xF0\xB1\x8D\x90"), Pieces({"a\xF0\xB1\x8D\x90"}));
  EXPECT_EQ(of("1\xF0\x91\xBD\x90"), Pieces({"1\xF0\x91\xBD\x90"}));
  EXPECT_EQ(of("a\xF0\x90\x97\x80"), Pieces({"a\xF0\x90\x97\x80"}));
}

// What llama.cpp cuts for the names of its pre-tokenizers.
TEST(Splitter, PatternsOfLlamaCpp) {
  const char *text = "It's 12345 km, \xE4\xB8\x80";
  const char *han = "\xE4\xB8\x80", *spaceHan = " \xE4\xB8\x80";
  EXPECT_EQ(split(SplitRule::Default, text),
            Pieces({"It", "'", "s", " ", "123", "45", " km", ",", spaceHan}));
  EXPECT_EQ(
      split(SplitRule::Qwen2, text),
      Pieces({"It", "'s", " ", "1", "2", "3", "4", "5", " km", ",", spaceHan}));
  EXPECT_EQ(split(SplitRule::Falcon, text),
            Pieces({"It", "'", "s", " ", "123", "45", " km", ",", spaceHan}));
  EXPECT_EQ(split(SplitRule::DeepSeekLLM, text),
            Pieces({"It", "'", "s", " ", "12345", " km", ",", " ", han}));
  EXPECT_EQ(split(SplitRule::DeepSeekCoder, text),
            Pieces({"It", "'", "s", " ", "1", "2", "3", "4", "5", " km", ",",
                    " ", han}));
  // U+3000 lies in the range of Chinese characters.
  const char *wide = " \xE3\x80\x80";
  EXPECT_EQ(split(SplitRule::DeepSeekCoder, wide), Pieces({wide}));
  EXPECT_EQ(split(SplitRule::Tekken, "helloWORLDWide don't"),
            Pieces({"hello", "WORLDWide", " don", "'t"}));
}

TEST(Splitter, BytesThatAreNotUtf8StandAlone) {
  auto of = [](std::string_view text) {
    return split(SplitRule::Llama3, text);
  };
  EXPECT_EQ(of("ab\xFF\x80 cd"), Pieces({"ab", "\xFF\x80", " cd"}));
  EXPECT_EQ(of("\xE2\x82"), Pieces({"\xE2\x82"}));
  EXPECT_EQ(of("a  \xC0z"), Pieces({"a", "  ", "\xC0", "z"}));
  EXPECT_EQ(of(std::string_view("a\0b", 3)),
            Pieces({"a", std::string("\0b", 2)}));
}

TEST(Splitter, LongRunsAreOnePiece) {
  for (SplitRule rule :
       {SplitRule::Llama3, SplitRule::GPT2, SplitRule::SmolLM}) {
    for (char c : {'a', ' ', '=', '\n'}) {
      std::string run(3'000'000, c);
      EXPECT_EQ(split(rule, run), Pieces({run}));
    }
    // White space gives its last character to the word after it.
    std::string spaces(3'000'000, ' ');
    EXPECT_EQ(split(rule, spaces + "x"), Pieces({spaces.substr(1), " x"}));
  }
}

} // namespace
