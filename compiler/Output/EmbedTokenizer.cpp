//===- EmbedTokenizer.cpp - A vocabulary as the bytes of model.so ---------===//
//
// Checks the vocabulary, builds each section of the format, then lays them one
// after the other.
//
//===----------------------------------------------------------------------===//

#include "compiler/Output/EmbedTokenizer.h"

#include "runtime/abi/TokenizerFormat.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <tuple>

using namespace llvm;
using namespace llamaabi;
using llamaweights::Vocabulary;
using llamaweights::VocabularyKind;

static_assert(endianness::native == endianness::little, "rule F1");
static_assert(uint8_t(llamaweights::TokenType::Normal) ==
                      uint8_t(TokenClass::Normal) &&
                  uint8_t(llamaweights::TokenType::Byte) ==
                      uint8_t(TokenClass::Byte),
              "token types go into the blob as they are");

namespace mlir::llama {
namespace {

template <typename... Args>
Error fail(const char *format, Args &&...args) {
  std::string text = "tokenizer: " + formatv(format, args...).str();
  return createStringError(inconvertibleErrorCode(), Twine(text));
}

const llamaweights::SpecialRule *findRule(const Vocabulary &vocabulary,
                                          size_t id) {
  auto rule = find_if(vocabulary.specialRules, [&](const auto &candidate) {
    return candidate.id == id;
  });
  return rule == vocabulary.specialRules.end() ? nullptr : &*rule;
}

bool isSpecial(const Vocabulary &vocabulary, size_t id) {
  auto type = vocabulary.types[id];
  if (type == llamaweights::TokenType::Control)
    return true;
  // The sentencepiece library finds its own user-defined pieces itself.
  return type == llamaweights::TokenType::UserDefined &&
         (vocabulary.kind != VocabularyKind::SentencePiece ||
          vocabulary.longestFirst || findRule(vocabulary, id));
}

/// Whether text becomes the token by itself, other than by a match of a special
/// token.
bool isTextToken(const Vocabulary &vocabulary, size_t id) {
  using llamaweights::TokenType;
  TokenType type = vocabulary.types[id];
  if (vocabulary.tokens[id].empty() || type == TokenType::Byte ||
      type == TokenType::Unused)
    return false;
  bool isBytes = vocabulary.kind == VocabularyKind::ByteLevelBPE ||
                 vocabulary.kind == VocabularyKind::SentencePiece;
  if (isBytes)
    return (type == TokenType::Normal || type == TokenType::UserDefined) &&
           !isSpecial(vocabulary, id);
  const llamaweights::SpecialRule *rule = findRule(vocabulary, id);
  return !rule || rule->isModelToken;
}

Error checkIds(const Vocabulary &vocabulary) {
  size_t count = vocabulary.tokens.size();
  if (count == 0 || count > size_t(INT32_MAX))
    return fail("has {0} tokens", count);
  if (vocabulary.types.size() != count)
    return fail("has {0} tokens but {1} token types", count,
                vocabulary.types.size());
  auto isId = [&](int64_t id) { return id >= 0 && size_t(id) < count; };
  if (vocabulary.bosToken && !isId(*vocabulary.bosToken))
    return fail("bos token is {0}, but there are {1} tokens",
                *vocabulary.bosToken, count);
  if (vocabulary.unknownToken && !isId(*vocabulary.unknownToken))
    return fail("unknown token is {0}, but there are {1} tokens",
                *vocabulary.unknownToken, count);
  bool isUnigram = vocabulary.kind == VocabularyKind::Unigram;
  if (isUnigram && vocabulary.scores.size() != count)
    return fail("has {0} tokens but {1} scores", count,
                vocabulary.scores.size());
  for (int64_t id : vocabulary.eosTokens)
    if (!isId(id))
      return fail("eos token is {0}, but there are {1} tokens", id, count);
  return Error::success();
}

Error checkMerges(const Vocabulary &vocabulary) {
  const std::vector<std::string> &tokens = vocabulary.tokens;
  for (const auto &[rank, merge] : enumerate(vocabulary.merges)) {
    for (uint32_t id : {merge.left, merge.right, merge.result})
      if (id >= tokens.size())
        return fail("merge {0} names token {1}, but there are {2}", rank, id,
                    tokens.size());
    StringRef left = tokens[merge.left], result = tokens[merge.result];
    if (!result.starts_with(left) ||
        result.drop_front(left.size()) != tokens[merge.right])
      return fail("merge {0} of tokens {1} and {2} gives token {3}, which is "
                  "not the two joined",
                  rank, merge.left, merge.right, merge.result);
  }
  return Error::success();
}

/// An open-addressing table (rule F5), at most 5/8 full.
template <typename Slot>
struct HashTable {
  std::vector<Slot> slots;
  uint32_t maxProbe = 0;

  HashTable(size_t entries, Slot empty)
      : slots(PowerOf2Ceil(entries * 8 / 5 + 2), empty) {}

  /// Puts `slot` into the first place from its home on that `isFree`.
  template <typename IsFree>
  void insert(uint64_t hash, Slot slot, IsFree isFree) {
    uint32_t probe = 0;
    auto place = [&]() -> Slot & {
      return slots[(hash + probe) & (slots.size() - 1)];
    };
    while (!isFree(place()))
      ++probe;
    place() = slot;
    maxProbe = std::max(maxProbe, probe);
  }
};

HashTable<TokenSlot> buildTokenTable(const Vocabulary &vocabulary) {
  StringMap<uint32_t> ids; // the lowest id where two tokens are equal
  for (const auto &[id, token] : enumerate(vocabulary.tokens)) {
    if (isTextToken(vocabulary, id))
      ids.try_emplace(token, id);
  }
  HashTable<TokenSlot> table(ids.size(), TokenSlot{0, kNoToken});
  for (const auto &[id, token] : enumerate(vocabulary.tokens)) {
    auto found = ids.find(token);
    if (found == ids.end() || found->second != id)
      continue;
    uint64_t hash = hashTokenBytes(token);
    table.insert(hash, {uint32_t(hash), uint32_t(id)},
                 [](const TokenSlot &slot) { return slot.id == kNoToken; });
  }
  return table;
}

HashTable<MergeSlot> buildMergeTable(const Vocabulary &vocabulary) {
  HashTable<MergeSlot> table(vocabulary.merges.size(),
                             MergeSlot{0, 0, 0, kNoToken});
  DenseMap<uint32_t, uint32_t> firstRank; // of each result
  for (const auto &[index, merge] : enumerate(vocabulary.merges)) {
    auto rank = uint32_t(index);
    if (vocabulary.equalRankForEqualResult)
      rank = firstRank.try_emplace(merge.result, rank).first->second;
    uint32_t left = merge.left, right = merge.right;
    // A pair that is listed twice has its last rank, as in tokenizer.json.
    table.insert(hashMergePair(left, right), {left, right, rank, merge.result},
                 [&](const MergeSlot &slot) {
                   return slot.result == kNoToken ||
                          (slot.left == left && slot.right == right);
                 });
  }
  return table;
}

std::vector<uint32_t> buildByteTokens(const Vocabulary &vocabulary) {
  bool isByteLevel = vocabulary.kind == VocabularyKind::ByteLevelBPE;
  std::vector<uint32_t> bytes(256, kNoToken);
  for (const auto &[id, token] : enumerate(vocabulary.tokens)) {
    auto type = vocabulary.types[id];
    bool isByte = type == llamaweights::TokenType::Byte ||
                  (isByteLevel && type == llamaweights::TokenType::Normal);
    if (token.size() != 1 || !isByte)
      continue;
    uint32_t &place = bytes[uint8_t(token[0])];
    place = std::min(place, uint32_t(id));
  }
  return bytes;
}

std::vector<uint32_t> buildSpecialTokens(const Vocabulary &vocabulary) {
  const std::vector<std::string> &tokens = vocabulary.tokens;
  std::vector<uint32_t> ids;
  for (size_t id = 0; id < tokens.size(); ++id)
    if (isSpecial(vocabulary, id) && !tokens[id].empty())
      ids.push_back(uint32_t(id));
  llvm::sort(ids, [&](uint32_t a, uint32_t b) {
    return std::tie(tokens[a], a) < std::tie(tokens[b], b);
  });
  ids.erase(unique(ids, [&](uint32_t a,
                            uint32_t b) { return tokens[a] == tokens[b]; }),
            ids.end());
  return ids;
}

SplitRule getSplitRule(llamaweights::PreTokenizer rule) {
  switch (rule) {
  case llamaweights::PreTokenizer::Llama3:
    return SplitRule::Llama3;
  case llamaweights::PreTokenizer::GPT2:
    return SplitRule::GPT2;
  case llamaweights::PreTokenizer::SmolLM:
    return SplitRule::SmolLM;
  case llamaweights::PreTokenizer::Qwen2:
    return SplitRule::Qwen2;
  case llamaweights::PreTokenizer::Default:
    return SplitRule::Default;
  case llamaweights::PreTokenizer::Falcon:
    return SplitRule::Falcon;
  case llamaweights::PreTokenizer::DeepSeekLLM:
    return SplitRule::DeepSeekLLM;
  case llamaweights::PreTokenizer::DeepSeekCoder:
    return SplitRule::DeepSeekCoder;
  case llamaweights::PreTokenizer::Tekken:
    return SplitRule::Tekken;
  }
  llvm_unreachable("every pre-tokenizer has a split rule");
}

TokenizerKind getKind(VocabularyKind kind) {
  switch (kind) {
  case VocabularyKind::SentencePiece:
    return TokenizerKind::SentencePiece;
  case VocabularyKind::ByteLevelBPE:
    return TokenizerKind::ByteLevelBPE;
  case VocabularyKind::CharacterBPE:
    return TokenizerKind::CharacterBPE;
  case VocabularyKind::Unigram:
    return TokenizerKind::Unigram;
  }
  llvm_unreachable("every vocabulary has a kind");
}

std::vector<SpecialRule> buildSpecialRules(const Vocabulary &vocabulary) {
  std::vector<SpecialRule> rules;
  for (const llamaweights::SpecialRule &rule : vocabulary.specialRules) {
    uint32_t flags = 0;
    flags |= rule.normalized ? kNormalized : 0;
    flags |= rule.stripLeft ? kStripLeft : 0;
    flags |= rule.stripRight ? kStripRight : 0;
    flags |= rule.singleWord ? kSingleWord : 0;
    if (flags)
      rules.push_back({rule.id, flags});
  }
  llvm::sort(rules, [](SpecialRule a, SpecialRule b) { return a.id < b.id; });
  return rules;
}

/// Rule F9.
std::string buildTextSteps(const Vocabulary &vocabulary) {
  std::string bytes;
  for (const llamaweights::TextStep &step : vocabulary.steps) {
    TextStepHead head = {uint32_t(step.kind), uint32_t(step.phase),
                         uint32_t(step.from.size()), uint32_t(step.to.size())};
    bytes.append(reinterpret_cast<const char *>(&head), sizeof(head));
    bytes += step.from + step.to;
    bytes.resize(alignTo(bytes.size(), 4), '\0');
  }
  return bytes;
}

uint32_t getLongestToken(const Vocabulary &vocabulary) {
  size_t longest = 0;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    if (isTextToken(vocabulary, id))
      longest = std::max(longest, vocabulary.tokens[id].size());
  return uint32_t(longest);
}

uint32_t getFlags(const Vocabulary &vocabulary) {
  uint32_t flags = 0;
  flags |= vocabulary.wholePieceFirst ? kWholePieceFirst : 0;
  flags |= vocabulary.addBos ? kAddBos : 0;
  flags |= vocabulary.addEos ? kAddEos : 0;
  flags |= vocabulary.addSpacePrefix ? kStripFirstSpace : 0;
  flags |= vocabulary.removeExtraSpaces ? kStripLeadingSpaces : 0;
  flags |= vocabulary.dropFirstSpaces ? kDropFirstSpaces : 0;
  flags |= vocabulary.fuseUnknown ? kFuseUnknown : 0;
  flags |= vocabulary.longestFirst ? kLongestFirst : 0;
  return flags;
}

/// Header and sections, written in the order of TokenizerSection (rule F3).
class BlobWriter {
public:
  BlobWriter() : bytes(sizeof(TokenizerHeader), '\0') {}

  void addText(StringRef text) {
    assert(next < kTokenizerSections && "more sections than the format has");
    bytes.resize(alignTo(bytes.size(), kTokenizerAlignment), '\0');
    header.sections[next++] = {bytes.size(), text.size()};
    bytes += text;
  }

  template <typename T>
  void add(ArrayRef<T> items) {
    addText(StringRef(reinterpret_cast<const char *>(items.data()),
                      items.size() * sizeof(T)));
  }

  std::string finish() {
    assert(next == kTokenizerSections && "a section is missing");
    header.totalBytes = bytes.size();
    memcpy(bytes.data(), &header, sizeof(header));
    return std::move(bytes);
  }

  TokenizerHeader header = {};

private:
  std::string bytes;
  size_t next = 0;
};

Error addTokens(const Vocabulary &vocabulary, BlobWriter &writer) {
  std::vector<uint32_t> offsets = {0};
  std::string bytes;
  for (const std::string &token : vocabulary.tokens) {
    bytes += token;
    if (bytes.size() > UINT32_MAX)
      return fail("tokens have more than {0} bytes together", UINT32_MAX);
    offsets.push_back(uint32_t(bytes.size()));
  }
  writer.add(ArrayRef(offsets));
  writer.addText(bytes);
  writer.add(ArrayRef(vocabulary.types));
  return Error::success();
}

} // namespace

Expected<std::string> serializeTokenizer(const Vocabulary &vocabulary) {
  if (Error error = checkIds(vocabulary))
    return std::move(error);
  if (Error error = checkMerges(vocabulary))
    return std::move(error);
  bool isPieces = vocabulary.kind == VocabularyKind::SentencePiece;
  bool isUnigram = vocabulary.kind == VocabularyKind::Unigram;

  BlobWriter writer;
  TokenizerHeader &header = writer.header;
  header.magic = kTokenizerMagic;
  header.version = kTokenizerVersion;
  header.headerBytes = sizeof(TokenizerHeader);
  header.kind = uint32_t(getKind(vocabulary.kind));
  header.splitRule = uint32_t(getSplitRule(vocabulary.preTokenizer));
  header.flags = getFlags(vocabulary);
  header.vocabSize = uint32_t(vocabulary.tokens.size());
  header.bosToken = uint32_t(vocabulary.bosToken.value_or(kNoToken));
  header.unknownToken = vocabulary.unknownToken.value_or(kNoToken);
  header.longestToken = getLongestToken(vocabulary);

  if (Error error = addTokens(vocabulary, writer))
    return std::move(error);
  std::vector<uint32_t> eos(vocabulary.eosTokens.begin(),
                            vocabulary.eosTokens.end());
  writer.add(ArrayRef(eos));
  writer.add(ArrayRef(buildSpecialTokens(vocabulary)));
  HashTable<TokenSlot> tokens = buildTokenTable(vocabulary);
  writer.add(ArrayRef(tokens.slots));
  header.maxProbe = tokens.maxProbe;
  std::vector<uint32_t> bytes = buildByteTokens(vocabulary);
  writer.add(isPieces ? ArrayRef<uint32_t>() : ArrayRef(bytes));
  HashTable<MergeSlot> merges = buildMergeTable(vocabulary);
  header.maxProbe = std::max(header.maxProbe, merges.maxProbe);
  writer.add(isPieces || isUnigram ? ArrayRef<MergeSlot>()
                                   : ArrayRef(merges.slots));
  writer.addText(isPieces ? StringRef(vocabulary.sentencePieceModel)
                          : StringRef());
  writer.addText(vocabulary.chatTemplate);
  writer.add(ArrayRef(buildSpecialRules(vocabulary)));
  writer.addText(buildTextSteps(vocabulary));
  writer.add(isUnigram ? ArrayRef(vocabulary.scores) : ArrayRef<double>());
  return writer.finish();
}

} // namespace mlir::llama
