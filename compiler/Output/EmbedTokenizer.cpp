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

bool isSpecial(const Vocabulary &vocabulary, size_t id) {
  auto type = vocabulary.types[id];
  if (type == llamaweights::TokenType::Control)
    return true;
  // The sentencepiece library finds its user-defined pieces itself.
  return type == llamaweights::TokenType::UserDefined &&
         vocabulary.kind == VocabularyKind::ByteLevelBPE;
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
    auto type = vocabulary.types[id];
    if ((type == llamaweights::TokenType::Normal ||
         type == llamaweights::TokenType::UserDefined) &&
        !isSpecial(vocabulary, id) && !token.empty())
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
  std::vector<uint32_t> bytes(256, kNoToken);
  for (const auto &[id, token] : enumerate(vocabulary.tokens)) {
    auto type = vocabulary.types[id];
    if (token.size() != 1 || (type != llamaweights::TokenType::Normal &&
                              type != llamaweights::TokenType::Byte))
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
  }
  llvm_unreachable("every pre-tokenizer has a split rule");
}

uint32_t getFlags(const Vocabulary &vocabulary) {
  uint32_t flags = 0;
  flags |= vocabulary.wholePieceFirst ? kWholePieceFirst : 0;
  flags |= vocabulary.addBos ? kAddBos : 0;
  flags |= vocabulary.addEos ? kAddEos : 0;
  flags |= vocabulary.addSpacePrefix ? kStripFirstSpace : 0;
  flags |= vocabulary.removeExtraSpaces ? kStripLeadingSpaces : 0;
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
  bool isBpe = vocabulary.kind == VocabularyKind::ByteLevelBPE;

  BlobWriter writer;
  TokenizerHeader &header = writer.header;
  header.magic = kTokenizerMagic;
  header.version = kTokenizerVersion;
  header.headerBytes = sizeof(TokenizerHeader);
  header.kind = uint32_t(isBpe ? TokenizerKind::ByteLevelBPE
                               : TokenizerKind::SentencePiece);
  header.splitRule = uint32_t(getSplitRule(vocabulary.preTokenizer));
  header.flags = getFlags(vocabulary);
  header.vocabSize = uint32_t(vocabulary.tokens.size());
  header.bosToken = uint32_t(vocabulary.bosToken.value_or(kNoToken));

  if (Error error = addTokens(vocabulary, writer))
    return std::move(error);
  std::vector<uint32_t> eos(vocabulary.eosTokens.begin(),
                            vocabulary.eosTokens.end());
  writer.add(ArrayRef(eos));
  writer.add(ArrayRef(buildSpecialTokens(vocabulary)));
  HashTable<TokenSlot> tokens = buildTokenTable(vocabulary);
  writer.add(ArrayRef(tokens.slots));
  header.maxProbe = tokens.maxProbe;
  if (isBpe) {
    writer.add(ArrayRef(buildByteTokens(vocabulary)));
    HashTable<MergeSlot> merges = buildMergeTable(vocabulary);
    writer.add(ArrayRef(merges.slots));
    header.maxProbe = std::max(header.maxProbe, merges.maxProbe);
    writer.addText("");
  } else {
    writer.addText("");
    writer.addText("");
    writer.addText(vocabulary.sentencePieceModel);
  }
  writer.addText(vocabulary.chatTemplate);
  return writer.finish();
}

} // namespace mlir::llama
