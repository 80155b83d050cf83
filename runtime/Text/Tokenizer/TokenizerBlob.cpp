//===- TokenizerBlob.cpp - The sections of a tokenizer, checked -----------===//

#include "runtime/Text/Tokenizer/TokenizerBlob.h"

#include "runtime/Error.h"

#include <bit>

static_assert(std::endian::native == std::endian::little, "rule F1");

using namespace llamaabi;

namespace llamart {
namespace {

template <typename... Parts>
[[noreturn]] void fail(const Parts &...parts) {
  throw Error(ErrorKind::Model, "tokenizer: ", parts...);
}

const char *getSectionName(TokenizerSection section) {
  static const char *const names[kTokenizerSections] = {
      "TokenOffsets", "TokenBytes",    "TokenTypes",
      "EosTokens",    "SpecialTokens", "TokenTable",
      "ByteTokens",   "MergeTable",    "SentencePieceModel",
      "ChatTemplate", "SpecialRules",  "TextSteps",
      "Scores"};
  return names[static_cast<size_t>(section)];
}

void checkHeader(const TokenizerHeader &header, size_t size) {
  if (header.magic != kTokenizerMagic)
    fail("does not begin with the magic number");
  if (header.version != kTokenizerVersion)
    fail("version is ", header.version, ", this runtime reads ",
         kTokenizerVersion);
  if (header.headerBytes != sizeof(TokenizerHeader))
    fail("header has ", header.headerBytes, " bytes, expected ",
         sizeof(TokenizerHeader));
  if (header.totalBytes > size)
    fail("has ", size, " bytes, but its header says ", header.totalBytes);
  if (header.kind >= kTokenizerKinds)
    fail("unknown kind ", header.kind);
  if (header.splitRule >= kSplitRules)
    fail("unknown split rule ", header.splitRule);
  if (header.flags & ~kTokenizerFlagsKnown)
    fail("unknown flags ", header.flags);
  if (header.vocabSize == 0 || header.vocabSize > INT32_MAX)
    fail("has ", header.vocabSize, " tokens");
  if (header.bosToken != kNoToken && header.bosToken >= header.vocabSize)
    fail("bos token is ", header.bosToken, ", but there are ", header.vocabSize,
         " tokens");
  if (header.unknownToken != kNoToken &&
      header.unknownToken >= header.vocabSize)
    fail("unknown token is ", header.unknownToken, ", but there are ",
         header.vocabSize, " tokens");
}

/// Rule F3: in order, inside the blob, aligned.
void checkSections(const TokenizerHeader &header) {
  uint64_t end = header.headerBytes;
  for (size_t i = 0; i < kTokenizerSections; ++i) {
    const SectionRange &range = header.sections[i];
    const char *name = getSectionName(static_cast<TokenizerSection>(i));
    if (range.offset < end || range.offset % kTokenizerAlignment != 0)
      fail("section ", name, " starts at byte ", range.offset,
           ", expected a multiple of ", kTokenizerAlignment, " from ", end);
    if (range.offset > header.totalBytes ||
        range.bytes > header.totalBytes - range.offset)
      fail("section ", name, " has ", range.bytes, " bytes from ", range.offset,
           ", but the tokenizer has ", header.totalBytes);
    end = range.offset + range.bytes;
  }
}

/// Gives out sections as arrays.
struct SectionReader {
  const TokenizerHeader &header;

  template <typename T>
  std::span<const T> get(TokenizerSection section) const {
    const SectionRange &range = header.sections[static_cast<size_t>(section)];
    if (range.bytes % sizeof(T) != 0)
      fail("section ", getSectionName(section), " has ", range.bytes,
           " bytes, expected a multiple of ", sizeof(T));
    auto *bytes = reinterpret_cast<const char *>(&header) + range.offset;
    return {reinterpret_cast<const T *>(bytes), range.bytes / sizeof(T)};
  }

  template <typename T>
  std::span<const T> get(TokenizerSection section, size_t count) const {
    std::span<const T> items = get<T>(section);
    if (items.size() != count)
      fail("section ", getSectionName(section), " has ", items.size(),
           " entries, expected ", count);
    return items;
  }

  std::string_view getText(TokenizerSection section) const {
    std::span<const char> bytes = get<char>(section);
    return {bytes.data(), bytes.size()};
  }

  /// Rule F5.
  template <typename T>
  std::span<const T> getTable(TokenizerSection s) const {
    std::span<const T> slots = get<T>(s);
    if (!std::has_single_bit(slots.size()))
      fail("section ", getSectionName(s), " has ", slots.size(),
           " slots, expected a power of two");
    return slots;
  }

  std::span<const uint32_t> getIds(TokenizerSection section) const {
    std::span<const uint32_t> ids = get<uint32_t>(section);
    checkIds(section, ids);
    return ids;
  }

  void checkIds(TokenizerSection section, std::span<const uint32_t> ids) const {
    for (uint32_t id : ids)
      if (id >= header.vocabSize)
        fail("section ", getSectionName(section), " holds id ", id,
             ", but there are ", header.vocabSize, " tokens");
  }
};

} // namespace

TokenizerBlob TokenizerBlob::open(const void *blob, size_t size) {
  if (reinterpret_cast<uintptr_t>(blob) % kTokenizerAlignment != 0)
    fail("does not start at a multiple of ", kTokenizerAlignment);
  if (size < sizeof(TokenizerHeader))
    fail("has ", size, " bytes, its header alone takes ",
         sizeof(TokenizerHeader));
  const auto &header = *static_cast<const TokenizerHeader *>(blob);
  checkHeader(header, size);
  checkSections(header);

  using enum TokenizerSection;
  SectionReader reader{header};
  size_t vocab = header.vocabSize;
  TokenizerBlob result;
  result.header = &header;
  result.tokenOffsets = reader.get<uint32_t>(TokenOffsets, vocab + 1);
  result.tokenBytes = reader.getText(TokenBytes);
  result.tokenTypes = reader.get<TokenClass>(TokenTypes, vocab);
  result.eosTokens = reader.getIds(EosTokens);
  result.specialTokens = reader.getIds(SpecialTokens);
  result.chatTemplate = reader.getText(ChatTemplate);
  result.specialRules = reader.get<SpecialRule>(SpecialRules);
  result.textSteps = reader.getText(TextSteps);
  result.tokenTable = reader.getTable<TokenSlot>(TokenTable);
  if (header.kind == static_cast<uint32_t>(TokenizerKind::SentencePiece)) {
    result.sentencePieceModel = reader.getText(SentencePieceModel);
    return result;
  }
  result.byteTokens = reader.get<uint32_t>(ByteTokens, 256);
  for (uint32_t id : result.byteTokens)
    if (id != kNoToken) // F8
      reader.checkIds(ByteTokens, {&id, 1});
  if (header.kind == static_cast<uint32_t>(TokenizerKind::Unigram))
    result.scores = reader.get<double>(Scores, vocab);
  else
    result.mergeTable = reader.getTable<MergeSlot>(MergeTable);
  return result;
}

std::string_view TokenizerBlob::getBytes(uint32_t id) const {
  if (id >= header->vocabSize)
    return {};
  uint32_t begin = tokenOffsets[id], end = tokenOffsets[id + 1];
  if (begin > end || end > tokenBytes.size()) // F4 broken
    return {};
  return tokenBytes.substr(begin, end - begin);
}

uint32_t TokenizerBlob::getSpecialFlags(uint32_t id) const {
  auto rule = std::ranges::lower_bound(specialRules, id, std::less<>(),
                                       &SpecialRule::id);
  return rule != specialRules.end() && rule->id == id ? rule->flags : 0;
}

uint32_t TokenizerBlob::findToken(std::string_view bytes) const {
  uint64_t hash = hashTokenBytes(bytes);
  for (uint64_t probe = 0; probe < getProbes(tokenTable.size()); ++probe) {
    const TokenSlot &slot =
        tokenTable[(hash + probe) & (tokenTable.size() - 1)];
    if (slot.id == kNoToken)
      return kNoToken;
    if (slot.hash == static_cast<uint32_t>(hash) &&
        getBytes(slot.id) == bytes && slot.id < header->vocabSize)
      return slot.id;
  }
  return kNoToken;
}

const MergeSlot *TokenizerBlob::findMerge(uint32_t left, uint32_t right) const {
  uint64_t hash = hashMergePair(left, right);
  for (uint64_t probe = 0; probe < getProbes(mergeTable.size()); ++probe) {
    const MergeSlot &slot =
        mergeTable[(hash + probe) & (mergeTable.size() - 1)];
    if (slot.result >= header->vocabSize) // empty, or F7 broken
      return nullptr;
    if (slot.left == left && slot.right == right)
      return &slot;
  }
  return nullptr;
}

} // namespace llamart
