//===- EmbedTokenizerTest.cpp - A vocabulary as the bytes of model.so -----===//
//
// The blob obeys the rules of its format, and a vocabulary that contradicts
// itself is refused. What the runtime makes of a blob is tested beside the
// runtime.
//
//===----------------------------------------------------------------------===//

#include "compiler/Output/EmbedTokenizer.h"

#include "runtime/abi/TokenizerFormat.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>

using namespace llamaabi;
using llamaweights::TokenType;
using llamaweights::Vocabulary;

namespace {

Vocabulary makeVocabulary() {
  Vocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.tokens.push_back(std::string(1, char(byte)));
  vocabulary.tokens.insert(vocabulary.tokens.end(), {"ab", "abc", "bc"});
  vocabulary.types.assign(vocabulary.tokens.size(), TokenType::Normal);
  vocabulary.merges = {
      {'a', 'b', 256}, {256, 'c', 257}, {'b', 'c', 258}, {'a', 258, 257}};
  return vocabulary;
}

std::string serialize(const Vocabulary &vocabulary) {
  return llvm::cantFail(mlir::llama::serializeTokenizer(vocabulary));
}

std::string getComplaint(const Vocabulary &vocabulary) {
  auto blob = mlir::llama::serializeTokenizer(vocabulary);
  return blob ? "" : llvm::toString(blob.takeError());
}

TokenizerHeader getHeader(const std::string &blob) {
  TokenizerHeader header;
  EXPECT_GE(blob.size(), sizeof(header));
  std::memcpy(&header, blob.data(), sizeof(header));
  return header;
}

template <typename T>
std::vector<T> getSection(const std::string &blob, TokenizerSection section) {
  SectionRange range = getHeader(blob).sections[size_t(section)];
  std::vector<T> items(range.bytes / sizeof(T));
  if (!items.empty())
    std::memcpy(items.data(), blob.data() + range.offset, range.bytes);
  return items;
}

TEST(EmbedTokenizer, SectionsFollowEachOtherAligned) {
  Vocabulary vocabulary = makeVocabulary();
  vocabulary.chatTemplate = "{{ x }}";
  std::string blob = serialize(vocabulary);
  TokenizerHeader header = getHeader(blob);
  EXPECT_EQ(header.magic, kTokenizerMagic);
  EXPECT_EQ(header.version, kTokenizerVersion);
  EXPECT_EQ(header.totalBytes, blob.size());
  EXPECT_EQ(header.vocabSize, 259u);
  uint64_t end = header.headerBytes;
  for (const SectionRange &range : header.sections) { // F1, F3
    EXPECT_EQ(range.offset % kTokenizerAlignment, 0u);
    EXPECT_GE(range.offset, end);
    EXPECT_LT(range.offset - end, kTokenizerAlignment);
    end = range.offset + range.bytes;
  }
  EXPECT_EQ(end, blob.size());
}

TEST(EmbedTokenizer, TokensLieBehindEachOther) { // F4
  Vocabulary vocabulary = makeVocabulary();
  std::string blob = serialize(vocabulary);
  auto offsets = getSection<uint32_t>(blob, TokenizerSection::TokenOffsets);
  auto bytes = getSection<char>(blob, TokenizerSection::TokenBytes);
  ASSERT_EQ(offsets.size(), vocabulary.tokens.size() + 1);
  EXPECT_EQ(offsets.front(), 0u);
  EXPECT_EQ(offsets.back(), bytes.size());
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i)
    EXPECT_EQ(
        std::string(bytes.begin() + offsets[i], bytes.begin() + offsets[i + 1]),
        vocabulary.tokens[i]);
}

TEST(EmbedTokenizer, EveryTokenAndMergeIsFoundWithinTheProbeLength) { // F5
  Vocabulary vocabulary = makeVocabulary();
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    auto left = uint32_t(random() % vocabulary.tokens.size());
    auto right = uint32_t(random() % 256);
    vocabulary.tokens.push_back(vocabulary.tokens[left] +
                                vocabulary.tokens[right]);
    vocabulary.types.push_back(TokenType::Normal);
    vocabulary.merges.push_back(
        {left, right, uint32_t(vocabulary.tokens.size() - 1)});
  }
  std::string blob = serialize(vocabulary);
  TokenizerHeader header = getHeader(blob);
  EXPECT_LT(header.maxProbe, 200u);
  auto merges = getSection<MergeSlot>(blob, TokenizerSection::MergeTable);
  auto tokens = getSection<TokenSlot>(blob, TokenizerSection::TokenTable);
  EXPECT_EQ(merges.size() & (merges.size() - 1), 0u);
  EXPECT_EQ(tokens.size() & (tokens.size() - 1), 0u);

  std::map<std::pair<uint32_t, uint32_t>, uint32_t>
      ranks; // the last one counts
  for (size_t i = 0; i < vocabulary.merges.size(); ++i)
    ranks[{vocabulary.merges[i].left, vocabulary.merges[i].right}] =
        uint32_t(i);
  for (auto [pair, rank] : ranks) {
    uint64_t hash = hashMergePair(pair.first, pair.second);
    bool found = false;
    for (uint64_t probe = 0; probe <= header.maxProbe && !found; ++probe) {
      MergeSlot slot = merges[(hash + probe) % merges.size()];
      ASSERT_NE(slot.result, kNoToken);
      found = slot.left == pair.first && slot.right == pair.second &&
              slot.rank == rank &&
              slot.result == vocabulary.merges[rank].result;
    }
    EXPECT_TRUE(found);
  }
  std::map<std::string, uint32_t> ids; // the first one counts
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    ids.emplace(vocabulary.tokens[id], uint32_t(id));
  for (const auto &[text, id] : ids) {
    uint64_t hash = hashTokenBytes(text);
    bool found = false;
    for (uint64_t probe = 0; probe <= header.maxProbe && !found; ++probe) {
      TokenSlot slot = tokens[(hash + probe) % tokens.size()];
      ASSERT_NE(slot.id, kNoToken);
      found = slot.id == id && slot.hash == uint32_t(hash);
    }
    EXPECT_TRUE(found) << text;
  }
}

TEST(EmbedTokenizer, CutsOfOneTokenShareTheirRankIfTheVocabularySaysSo) {
  Vocabulary vocabulary = makeVocabulary();
  auto getRanks = [&] {
    std::set<uint32_t> ranks; // of the two ways to make "abc"
    for (MergeSlot slot : getSection<MergeSlot>(serialize(vocabulary),
                                                TokenizerSection::MergeTable))
      if (slot.result == 257)
        ranks.insert(slot.rank);
    return ranks;
  };
  EXPECT_EQ(getRanks(), std::set<uint32_t>({1, 3}));
  vocabulary.equalRankForEqualResult = true;
  EXPECT_EQ(getRanks(), std::set<uint32_t>({1}));
}

TEST(EmbedTokenizer, SpecialTokensAreSortedWithoutDoubles) { // F6
  Vocabulary vocabulary = makeVocabulary();
  for (const char *text : {"<b>", "", "<a>", "\xFF", "<b>"}) {
    vocabulary.tokens.push_back(text);
    vocabulary.types.push_back(TokenType::Control);
  }
  vocabulary.tokens.push_back("<ab>");
  vocabulary.types.push_back(TokenType::UserDefined);
  EXPECT_EQ(getSection<uint32_t>(serialize(vocabulary),
                                 TokenizerSection::SpecialTokens),
            std::vector<uint32_t>({261, 264, 259, 262}));
  vocabulary.kind = llamaweights::VocabularyKind::SentencePiece;
  EXPECT_EQ(getSection<uint32_t>(serialize(vocabulary),
                                 TokenizerSection::SpecialTokens),
            std::vector<uint32_t>({261, 259, 262}));
}

TEST(EmbedTokenizer, BytesWithoutATokenAreMarked) { // F8
  Vocabulary vocabulary = makeVocabulary();
  vocabulary.types['x'] = TokenType::Control;
  auto bytes =
      getSection<uint32_t>(serialize(vocabulary), TokenizerSection::ByteTokens);
  ASSERT_EQ(bytes.size(), 256u);
  EXPECT_EQ(bytes['x'], kNoToken);
  EXPECT_EQ(bytes['y'], uint32_t('y'));
}

TEST(EmbedTokenizer, FlagsSayWhatTheVocabularySays) {
  Vocabulary vocabulary = makeVocabulary();
  EXPECT_EQ(getHeader(serialize(vocabulary)).flags, 0u);
  EXPECT_EQ(getHeader(serialize(vocabulary)).bosToken, kNoToken);
  vocabulary.addBos = vocabulary.wholePieceFirst = true;
  vocabulary.bosToken = 5;
  vocabulary.preTokenizer = llamaweights::PreTokenizer::SmolLM;
  TokenizerHeader header = getHeader(serialize(vocabulary));
  EXPECT_EQ(header.flags, uint32_t(kAddBos | kWholePieceFirst));
  EXPECT_EQ(header.bosToken, 5u);
  EXPECT_EQ(header.splitRule, uint32_t(SplitRule::SmolLM));
}

TEST(EmbedTokenizer, AVocabularyThatContradictsItselfIsRefused) {
  Vocabulary vocabulary;
  EXPECT_EQ(getComplaint(vocabulary), "tokenizer: has 0 tokens");
  vocabulary = makeVocabulary();
  vocabulary.types.pop_back();
  EXPECT_EQ(getComplaint(vocabulary),
            "tokenizer: has 259 tokens but 258 token types");
  vocabulary = makeVocabulary();
  vocabulary.bosToken = 259;
  EXPECT_EQ(getComplaint(vocabulary),
            "tokenizer: bos token is 259, but there are 259 tokens");
  vocabulary = makeVocabulary();
  vocabulary.eosTokens = {1, -1};
  EXPECT_EQ(getComplaint(vocabulary),
            "tokenizer: eos token is -1, but there are 259 tokens");
  vocabulary = makeVocabulary();
  vocabulary.merges[1].left = 4000;
  EXPECT_EQ(getComplaint(vocabulary),
            "tokenizer: merge 1 names token 4000, but there are 259");
  vocabulary = makeVocabulary();
  vocabulary.merges[1].right = 'd';
  EXPECT_EQ(getComplaint(vocabulary),
            "tokenizer: merge 1 of tokens 256 and 100 gives token 257, which "
            "is not the two joined");
}

} // namespace
