//===- TokenizerTest.cpp - Text to token ids and back ---------------------===//
//
// One rule a test, on vocabularies small enough to work out by hand. What real
// tokenizers do is compared in differential.py.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Text/Tokenizer/TestVocabulary.h"

#include <functional>
#include <thread>

using namespace llamart;
using namespace llamatest;
using llamaweights::TokenType;

namespace {

EncodeOptions allowing() {
  EncodeOptions options;
  options.allowSpecial = true;
  return options;
}

//===----------------------------------------------------------------------===//
// Merges
//===----------------------------------------------------------------------===//

TEST(Tokenizer, LowestRankMergesFirst) {
  VocabularyBuilder builder;
  int32_t bc = builder.merge('b', 'c');
  builder.merge('a', 'b');
  int32_t abc = builder.merge('a', bc);
  OpenTokenizer tokenizer(builder.vocabulary);
  EXPECT_EQ(tokenizer->encode("abc"), Ids({abc}));
  EXPECT_EQ(tokenizer->encode("abbc"), Ids({bc + 1, bc}));
}

TEST(Tokenizer, APairThatIsGoneDoesNotLendItsRankToTheNextOne) {
  VocabularyBuilder builder;
  int32_t bc = builder.merge('b', 'c');
  builder.merge('a', 'b'); // waits at the first place, but b is gone
  int32_t bcd = builder.merge(bc, 'd');
  builder.merge('a', bc); // stands there instead, with the last rank
  EXPECT_EQ(OpenTokenizer(builder.vocabulary)->encode("abcd"), Ids({'a', bcd}));
}

TEST(Tokenizer, LeftmostOfEqualPairsMergesFirst) {
  VocabularyBuilder builder;
  int32_t aa = builder.merge('a', 'a');
  OpenTokenizer tokenizer(builder.vocabulary);
  EXPECT_EQ(tokenizer->encode("aaa"), Ids({aa, 'a'}));
  EXPECT_EQ(tokenizer->encode("aaaaa"), Ids({aa, aa, 'a'}));
}

TEST(Tokenizer, APieceThatIsATokenIsTakenWholeIfTheVocabularySaysSo) {
  VocabularyBuilder builder;
  int32_t ab = builder.merge('a', 'b');
  int32_t abc = builder.add("abc", TokenType::Normal); // no merge makes it
  EXPECT_EQ(OpenTokenizer(builder.vocabulary)->encode("abc"), Ids({ab, 'c'}));
  builder.vocabulary.wholePieceFirst = true;
  EXPECT_EQ(OpenTokenizer(builder.vocabulary)->encode("abc"), Ids({abc}));
  EXPECT_EQ(OpenTokenizer(builder.vocabulary)->encode("abcd"),
            Ids({ab, 'c', 'd'}));
}

TEST(Tokenizer, MergesStayInsidePieces) {
  VocabularyBuilder builder;
  builder.merge('a', ' ');
  int32_t spaceB = builder.merge(' ', 'b');
  EXPECT_EQ(OpenTokenizer(builder.vocabulary)->encode("a b"),
            Ids({'a', spaceB}));
}

TEST(Tokenizer, AByteWithoutATokenIsLeftOutAndItsNeighboursMeet) {
  VocabularyBuilder builder;
  int32_t ab = builder.merge('a', 'b');
  builder.vocabulary.types['x'] = TokenType::Unused;
  OpenTokenizer tokenizer(builder.vocabulary);
  EXPECT_EQ(tokenizer->encode("axb"), Ids({ab}));
  EXPECT_EQ(tokenizer->encode("xx"), Ids());
}

TEST(Tokenizer, BytesThatAreNotUtf8ArePiecesOfTheirOwn) {
  VocabularyBuilder builder;
  int32_t ff = builder.merge(0xFF, 0xFF);
  builder.merge('a', 0xFF);
  builder.merge(0xFF, 'b');
  OpenTokenizer tokenizer(builder.vocabulary);
  EXPECT_EQ(tokenizer->encode("a\xFF\xFF"
                              "b"),
            Ids({'a', ff, 'b'}));
  // The space before it is at the end of its stretch.
  EXPECT_EQ(tokenizer->encode("a \xFF"), Ids({'a', ' ', 0xFF}));
}

//===----------------------------------------------------------------------===//
// Special tokens
//===----------------------------------------------------------------------===//

struct SpecialTokens : testing::Test {
  VocabularyBuilder builder;
  int32_t bos = builder.control("<s>"), eos = builder.control("</s>");
  int32_t longer = builder.control("<s><s>!");
  int32_t user = builder.add("<<user>>", TokenType::UserDefined);

  SpecialTokens() {
    builder.vocabulary.bosToken = bos;
    builder.vocabulary.eosTokens = {eos, longer};
    builder.vocabulary.addBos = true;
    builder.vocabulary.addEos = true;
  }
};

TEST_F(SpecialTokens, AreTextUnlessAllowed) {
  OpenTokenizer tokenizer(builder.vocabulary);
  EncodeOptions options;
  options.bos = AddToken::Never;
  EXPECT_EQ(tokenizer->encode("<s>", options), Ids({'<', 's', '>'}));
  options.allowSpecial = true;
  EXPECT_EQ(tokenizer->encode("a<s>b</s>", options), Ids({'a', bos, 'b', eos}));
}

TEST_F(SpecialTokens, UserDefinedOnesAreAlwaysFound) {
  OpenTokenizer tokenizer(builder.vocabulary);
  EncodeOptions options;
  options.bos = AddToken::Never;
  EXPECT_EQ(tokenizer->encode("a<<user>><s>", options),
            Ids({'a', user, '<', 's', '>'}));
  EXPECT_EQ(tokenizer->encode("<<user>", options).size(), 7u);
}

TEST_F(SpecialTokens, TheLongestOfTheLeftmostWins) {
  OpenTokenizer tokenizer(builder.vocabulary);
  EncodeOptions options = allowing();
  options.bos = AddToken::Never;
  EXPECT_EQ(tokenizer->encode("<s><s>!", options), Ids({longer}));
  EXPECT_EQ(tokenizer->encode("<s><s><s>!", options), Ids({bos, longer}));
  EXPECT_EQ(tokenizer->encode("<s><s>", options), Ids({bos, bos}));
}

TEST_F(SpecialTokens, BosAndEosFollowTheRule) {
  OpenTokenizer tokenizer(builder.vocabulary);
  EXPECT_EQ(tokenizer->encode("a"), Ids({bos, 'a'}));
  EncodeOptions options = allowing();
  EXPECT_EQ(tokenizer->encode("<s>a", options), Ids({bos, 'a'}));
  EXPECT_EQ(tokenizer->encode("<s><s>a", options), Ids({bos, bos, 'a'}));
  options.bos = AddToken::Always;
  options.eos = AddToken::ByRule;
  EXPECT_EQ(tokenizer->encode("<s>", options), Ids({bos, bos, eos}));

  builder.vocabulary.addBos = builder.vocabulary.addEos = false;
  OpenTokenizer without(builder.vocabulary);
  EXPECT_EQ(without->encode("a"), Ids({'a'}));
  EXPECT_EQ(without->encode("a", options), Ids({bos, 'a'}));
  options.eos = AddToken::Always;
  EXPECT_EQ(without->encode("a", options), Ids({bos, 'a', eos}));
}

TEST_F(SpecialTokens, PromptPiecesSayWhatIsSpecial) {
  int32_t xy = builder.merge('x', 'y');
  OpenTokenizer tokenizer(builder.vocabulary);
  std::vector<PromptPiece> pieces = {
      {"<s>", true}, {"a</s>x", false}, {"y", false}, {"<none>", true}};
  EXPECT_EQ(tokenizer->encode(pieces), Ids({bos, 'a', '<', '/', 's', '>', xy,
                                            '<', 'n', 'o', 'n', 'e', '>'}));
}

TEST_F(SpecialTokens, AreKnownByTheirIds) {
  OpenTokenizer tokenizer(builder.vocabulary);
  EXPECT_EQ(tokenizer->getBos(), bos);
  EXPECT_TRUE(tokenizer->addsBos());
  EXPECT_EQ(tokenizer->getEos(), Ids({eos, longer}));
  EXPECT_TRUE(tokenizer->isEos(longer));
  EXPECT_FALSE(tokenizer->isEos(bos));
  EXPECT_FALSE(tokenizer->isEos(-1));
  EXPECT_TRUE(tokenizer->isControl(eos));
  EXPECT_FALSE(tokenizer->isControl(user));
  EXPECT_FALSE(tokenizer->isControl('a'));
  EXPECT_FALSE(tokenizer->isControl(1 << 30));
}

TEST_F(SpecialTokens, TokensAreFoundByTheirBytes) {
  int32_t xy = builder.merge('x', 'y');
  int32_t same = builder.control("xy"); // as text, also a normal token
  OpenTokenizer tokenizer(builder.vocabulary);
  EXPECT_EQ(tokenizer->findToken("xy"), same);
  EXPECT_EQ(tokenizer->findToken("x"), 'x');
  EXPECT_EQ(tokenizer->findToken("<s>"), bos);
  EXPECT_EQ(tokenizer->findToken("xyz"), std::nullopt);
  EXPECT_EQ(tokenizer->findToken(""), std::nullopt);
  EXPECT_EQ(tokenizer->tokenBytes(xy), "xy");
  EXPECT_EQ(tokenizer->tokenBytes(-1), "");
  EXPECT_EQ(tokenizer->tokenBytes(tokenizer->getVocabSize()), "");
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

std::vector<std::string> pushAll(const Tokenizer &tokenizer, const Ids &ids) {
  StreamDecoder decoder(tokenizer);
  std::vector<std::string> parts;
  for (int32_t id : ids)
    parts.push_back(decoder.push(id));
  parts.push_back(decoder.finish());
  return parts;
}

using Parts = std::vector<std::string>;
const std::string kReplacement = "\xEF\xBF\xBD";

TEST(StreamDecoder, HoldsBackHalfACharacter) {
  OpenTokenizer tokenizer(VocabularyBuilder().vocabulary);
  EXPECT_EQ(pushAll(*tokenizer, {'a', 0xE2, 0x82, 0xAC, 'b'}),
            Parts({"a", "", "", "\xE2\x82\xAC", "b", ""}));
  EXPECT_EQ(pushAll(*tokenizer, {0xF0, 0x9F, 0x98, 0x80}),
            Parts({"", "", "", "\xF0\x9F\x98\x80", ""}));
}

TEST(StreamDecoder, ReplacesEachLongestBeginningOnce) {
  OpenTokenizer tokenizer(VocabularyBuilder().vocabulary);
  EXPECT_EQ(pushAll(*tokenizer, {0xE2, 0x82, 'a'}),
            Parts({"", "", kReplacement + "a", ""}));
  EXPECT_EQ(pushAll(*tokenizer, {0xE2, 0x82}), Parts({"", "", kReplacement}));
  EXPECT_EQ(pushAll(*tokenizer, {0x80, 0xFF}),
            Parts({kReplacement, kReplacement, ""}));
  // E0 80, ED A0 and F4 90 begin no character: two replacements each.
  for (int32_t lead : {0xE0, 0xED, 0xF4}) {
    int32_t second = lead == 0xE0 ? 0x80 : lead == 0xED ? 0xA0 : 0x90;
    EXPECT_EQ(tokenizer->decode(Ids{lead, second}),
              kReplacement + kReplacement);
  }
}

TEST(StreamDecoder, HidesControlTokensUnlessAsked) {
  VocabularyBuilder builder;
  int32_t control = builder.control("<x>");
  OpenTokenizer tokenizer(builder.vocabulary);
  EXPECT_EQ(tokenizer->decode(Ids{'a', control, 'b'}), "ab");
  EXPECT_EQ(tokenizer->decode(Ids{'a', control, 'b'}, SpecialText::Show),
            "a<x>b");
  // A hidden token does not come between the bytes of a character.
  EXPECT_EQ(tokenizer->decode(Ids{0xC3, control, 0xA9}), "\xC3\xA9");
}

TEST(StreamDecoder, KnowsNoIdOutsideTheVocabulary) {
  OpenTokenizer tokenizer(VocabularyBuilder().vocabulary);
  EXPECT_EQ(tokenizer->decode(Ids{'a', -1, 256, INT32_MIN, 'b'}), "ab");
}

//===----------------------------------------------------------------------===//
// Sentencepiece
//===----------------------------------------------------------------------===//

const std::string kSpace = "\xE2\x96\x81";

TEST(SentencePiece, PutsASpaceInFrontOfEveryStretch) {
  OpenTokenizer tokenizer(
      makeSentencePieces({kSpace, "a", "b", kSpace + "a", "ab"}));
  int32_t space = 259, b = 261, spaceA = 262, ab = 263;
  EXPECT_EQ(tokenizer->encode("a"), Ids({1, spaceA}));
  EXPECT_EQ(tokenizer->encode("ab"), Ids({1, spaceA, b}));
  EXPECT_EQ(tokenizer->encode("a ab"), Ids({1, spaceA, spaceA, b}));
  EXPECT_EQ(tokenizer->encode("<s>a</s>b", allowing()),
            Ids({1, spaceA, 2, space, b}));
  EXPECT_EQ(tokenizer->encode(""), Ids({1}));
  EXPECT_EQ(tokenizer->findToken(" a"), spaceA);
  EXPECT_EQ(tokenizer->findToken("ab"), ab);
  EXPECT_EQ(tokenizer->findToken("</s>"), 2);
}

TEST(SentencePiece, ControlTokensAreTextUnlessAllowed) {
  OpenTokenizer tokenizer(makeSentencePieces({kSpace, "s"}));
  EXPECT_EQ(tokenizer->encode("<s>"), Ids({1, 259, 3 + '<', 260, 3 + '>'}));
}

TEST(SentencePiece, DecodingDropsTheSpaceInFront) {
  OpenTokenizer tokenizer(makeSentencePieces({kSpace, "a", kSpace + "a"}));
  EXPECT_EQ(tokenizer->decode(Ids{1, 261, 261}), "a a");
  EXPECT_EQ(tokenizer->decode(Ids{259, 259, 260}), " a");
  EXPECT_EQ(tokenizer->decode(Ids{3 + ' ', 261}), "  a"); // a byte is kept
  EXPECT_EQ(tokenizer->decode(Ids{0, 261}), " \xE2\x81\x87  a");
  StreamDecoder reply(*tokenizer, StreamStart::AfterText);
  EXPECT_EQ(reply.push(261), " a");
}

TEST(SentencePiece, DecodingKeepsTheSpaceWhereNoneWasAdded) {
  OpenTokenizer tokenizer(
      makeSentencePieces({kSpace, "a", kSpace + "a"}, false));
  EXPECT_EQ(tokenizer->encode("a"), Ids({1, 260}));
  EXPECT_EQ(tokenizer->decode(Ids{1, 261}), " a");
}

TEST(SentencePiece, EachBrokenByteIsReplaced) {
  OpenTokenizer tokenizer(makeSentencePieces({"a"}));
  EXPECT_EQ(tokenizer->decode(Ids{3 + 0xE2, 3 + 0x82, 259}),
            kReplacement + kReplacement + "a");
  EXPECT_EQ(tokenizer->decode(Ids{3 + 0xE2, 3 + 0x82, 3 + 0xAC}),
            "\xE2\x82\xAC");
}

TEST(SentencePiece, AModelOfAnotherSizeIsAnError) {
  auto vocabulary = makeSentencePieces({"a"});
  vocabulary.tokens.push_back("one more");
  vocabulary.types.push_back(TokenType::Normal);
  std::string blob =
      llvm::cantFail(mlir::llama::serializeTokenizer(vocabulary));
  EXPECT_THROW(Tokenizer::open(blob.data(), blob.size()), std::exception);
}

//===----------------------------------------------------------------------===//
// Added tokens and steps, as `tokenizers` has them
//===----------------------------------------------------------------------===//

struct AddedTokens : testing::Test {
  VocabularyBuilder builder;

  int32_t add(
      const std::string &text,
      const std::function<void(llamaweights::SpecialRule &)> &change =
          [](auto &) {}) {
    int32_t id = builder.add(text, TokenType::UserDefined);
    llamaweights::SpecialRule rule;
    rule.id = uint32_t(id);
    change(rule);
    builder.vocabulary.specialRules.push_back(rule);
    return id;
  }

  Ids encode(const std::string &text) {
    OpenTokenizer tokenizer(builder.vocabulary);
    return tokenizer->encode(text);
  }
};

TEST_F(AddedTokens, NormalizedOnesComeSecond) {
  int32_t shorter = add("<a>");
  int32_t longer = add("<a><b>", [](auto &rule) { rule.normalized = true; });
  EXPECT_EQ(encode("<a><b>"), Ids({shorter, '<', 'b', '>'}));
  builder.vocabulary.specialRules[0].normalized = true;
  EXPECT_EQ(encode("<a><b>"), Ids({longer}));
}

TEST_F(AddedTokens, NormalizedOnesAreNormalized) {
  int32_t upper = add("ABC", [](auto &rule) { rule.normalized = true; });
  EXPECT_EQ(encode("abc"), Ids({'a', 'b', 'c'}));
  builder.vocabulary.steps = {{llamaabi::TextStepKind::Lowercase,
                               llamaabi::TextPhase::Normalize, "", ""}};
  EXPECT_EQ(encode("xAbC"), Ids({'x', upper}));
}

TEST_F(AddedTokens, TakeWhiteSpaceOrStandAlone) {
  int32_t left = add("<l>", [](auto &rule) { rule.stripLeft = true; });
  int32_t right = add("<r>", [](auto &rule) { rule.stripRight = true; });
  int32_t word = add("the", [](auto &rule) { rule.singleWord = true; });
  EXPECT_EQ(encode("a \xE3\x80\x80<l> b"), Ids({'a', left, ' ', 'b'}));
  EXPECT_EQ(encode("a <r>\n b"), Ids({'a', ' ', right, 'b'}));
  EXPECT_EQ(encode("the"), Ids({word}));
  EXPECT_EQ(encode("-the "), Ids({'-', word, ' '}));
  EXPECT_EQ(encode("the_").size(), 4u);
  EXPECT_EQ(encode("\xC3\xA9the").size(), 5u);
}

TEST_F(AddedTokens, LlamaCppTakesTheLongestFirst) {
  int32_t first = add("ab"), second = add("bcd");
  EXPECT_EQ(encode("abcd"), Ids({first, 'c', 'd'}));
  builder.vocabulary.longestFirst = true;
  EXPECT_EQ(encode("abcd"), Ids({'a', second}));
}

TEST(CharacterBPE, CharactersWithoutATokenAreBytesOrUnknown) {
  llamaweights::Vocabulary vocabulary;
  vocabulary.kind = llamaweights::VocabularyKind::CharacterBPE;
  vocabulary.tokens = {"<unk>", " ", "a", " a"};
  vocabulary.types = {TokenType::Control, TokenType::Normal, TokenType::Normal,
                      TokenType::Normal};
  vocabulary.merges = {{1, 2, 3}};
  auto encode = [&](const char *text) {
    return OpenTokenizer(vocabulary)->encode(text);
  };
  EXPECT_EQ(encode("a ab"), Ids({2, 3}));
  vocabulary.unknownToken = 0;
  EXPECT_EQ(encode("xya"), Ids({0, 0, 2}));
  vocabulary.fuseUnknown = true;
  EXPECT_EQ(encode("xya"), Ids({0, 2}));
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary.tokens.push_back(std::string(1, char(byte)));
    vocabulary.types.push_back(TokenType::Byte);
  }
  EXPECT_EQ(encode("\xC3\xA9 a"), Ids({4 + 0xC3, 4 + 0xA9, 3}));
  EXPECT_EQ(encode("\xFF"), Ids({4 + 0xEF, 4 + 0xBF, 4 + 0xBD})); // U+FFFD
}

TEST(CharacterBPE, APrefixMayBeForTheBeginningAlone) {
  llamaweights::Vocabulary vocabulary;
  vocabulary.kind = llamaweights::VocabularyKind::CharacterBPE;
  vocabulary.tokens = {" ", "a", "</s>"};
  vocabulary.types = {TokenType::Normal, TokenType::Normal, TokenType::Control};
  vocabulary.steps = {{llamaabi::TextStepKind::PrefixFirst,
                       llamaabi::TextPhase::PreTokenize, "", " "}};
  EncodeOptions options;
  options.allowSpecial = true;
  OpenTokenizer first(vocabulary);
  EXPECT_EQ(first->encode("a</s>a", options), Ids({0, 1, 2, 1}));
  EXPECT_EQ(first->encode(" a", options), Ids({0, 1}));
  EXPECT_EQ(first->encode("</s>a", options), Ids({2, 1}));
  vocabulary.steps[0].kind = llamaabi::TextStepKind::PrefixAlways;
  OpenTokenizer always(vocabulary);
  EXPECT_EQ(always->encode("a</s>a", options), Ids({0, 1, 2, 0, 1}));
}

TEST(Unigram, TheLargestSumWins) {
  llamaweights::Vocabulary vocabulary;
  vocabulary.kind = llamaweights::VocabularyKind::Unigram;
  vocabulary.tokens = {"<unk>", "a", "b", "ab", "abc"};
  vocabulary.types.assign(5, TokenType::Normal);
  vocabulary.types[0] = TokenType::Control;
  vocabulary.scores = {0.0, -1.0, -1.0, -3.0, -2.0};
  vocabulary.unknownToken = 0;
  OpenTokenizer tokenizer(vocabulary);
  EXPECT_EQ(tokenizer->encode("ab"), Ids({1, 2}));
  EXPECT_EQ(tokenizer->encode("abcab"), Ids({4, 1, 2}));
  EXPECT_EQ(tokenizer->encode("xyza"), Ids({0, 1})); // one unknown token
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

TEST(Tokenizer, ManyThreadsMayStartItTogether) {
  VocabularyBuilder builder;
  builder.merge('a', 'b');
  OpenTokenizer tokenizer(builder.vocabulary);
  std::vector<Ids> results(8);
  std::vector<std::thread> threads;
  for (Ids &result : results)
    threads.emplace_back([&] { result = tokenizer->encode("ab ab\n12"); });
  for (std::thread &thread : threads)
    thread.join();
  for (const Ids &result : results)
    EXPECT_EQ(result, results[0]);
  EXPECT_EQ(results[0], Ids({256, ' ', 256, '\n', '1', '2'}));
}

} // namespace
