//===- TokenizerFormat.h - The tokenizer inside a model.so ------*- C++ -*-===//
//
// What the symbol llama_tokenizer points to: a header, then sections that the
// runtime uses where they lie. Compiler and runtime include this one header.
// Rules:
//
//   F1  Numbers are little-endian. The blob starts at an address that is a
//       multiple of kTokenizerAlignment, and so does every section.
//   F2  The header begins with magic and version; a reader refuses a version
//       other than its own.
//   F3  A section lies inside [headerBytes, totalBytes). Sections do not
//       overlap and stand in the order of the enum. A section that a kind does
//       not use is empty.
//   F4  Token i is the bytes [offsets[i], offsets[i + 1]) of TokenBytes.
//       Offsets start at 0, do not decrease and end at the size of TokenBytes.
//   F5  TokenTable and MergeTable are open-addressing hash tables: a power of
//       two slots, at least one of them empty, linear probing from
//       hash & (slots - 1). An entry is at most the header's maxProbe slots
//       from its home.
//   F6  SpecialTokens holds the ids that are looked for in a text (control and
//       user-defined ones), sorted by their bytes, without duplicates or empty
//       ones.
//   F7  Every id is below vocabSize. A reader checks this where it takes an id
//       out of a table, not when it opens the blob.
//   F8  A byte without a token has kNoToken in ByteTokens and is left out of
//       the text before merges run.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_TOKENIZERFORMAT_H
#define LLAMA_RUNTIME_ABI_TOKENIZERFORMAT_H

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llamaabi {

inline constexpr uint64_t kTokenizerMagic = 0x314B4F54414D4C4CULL; // "LLMATOK1"
inline constexpr uint32_t kTokenizerVersion = 1;
inline constexpr uint64_t kTokenizerAlignment = 16;
inline constexpr uint32_t kNoToken = 0xFFFFFFFFu; ///< an empty slot, no such id

enum class TokenizerKind : uint32_t { SentencePiece = 0, ByteLevelBPE = 1 };

/// How text is cut into pieces before the merges run.
enum class SplitRule : uint32_t { Llama3 = 0, GPT2 = 1, SmolLM = 2 };

/// One byte per token in the section TokenTypes.
enum class TokenClass : uint8_t {
  Normal = 1,
  Unknown = 2,
  Control = 3, ///< looked for in a text only where special tokens are allowed
  UserDefined = 4, ///< looked for in every text
  Unused = 5,
  Byte = 6,
};

/// Bits of TokenizerHeader::flags.
enum TokenizerFlags : uint32_t {
  kWholePieceFirst = 1u << 0, ///< a piece that is a token is not merged
  kAddBos = 1u << 1,
  kAddEos = 1u << 2,
  kStripFirstSpace = 1u << 3,    ///< decoding drops one space in front
  kStripLeadingSpaces = 1u << 4, ///< decoding drops every space in front
};
inline constexpr uint32_t kTokenizerFlagsKnown = 0x1Fu;

enum class TokenizerSection : uint32_t {
  TokenOffsets,       ///< uint32_t [vocabSize + 1]
  TokenBytes,         ///< char []
  TokenTypes,         ///< TokenClass [vocabSize]
  EosTokens,          ///< uint32_t []
  SpecialTokens,      ///< uint32_t []
  TokenTable,         ///< TokenSlot [], normal tokens only
  ByteTokens,         ///< uint32_t [256], the id of each byte; byte-level BPE
  MergeTable,         ///< MergeSlot []; byte-level BPE
  SentencePieceModel, ///< char [], a serialized ModelProto; sentencepiece
  ChatTemplate,       ///< char [], Jinja source; empty if unknown
};
inline constexpr size_t kTokenizerSections = 10;

struct SectionRange {
  uint64_t offset; ///< from the start of the blob
  uint64_t bytes;
};

struct TokenizerHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t headerBytes; ///< sizeof(TokenizerHeader)
  uint64_t totalBytes;
  uint32_t kind;      ///< TokenizerKind
  uint32_t splitRule; ///< SplitRule; byte-level BPE
  uint32_t flags;     ///< TokenizerFlags
  uint32_t vocabSize;
  uint32_t bosToken; ///< kNoToken if there is none
  uint32_t maxProbe; ///< F5, of both tables
  SectionRange sections[kTokenizerSections];
};

struct TokenSlot {
  uint32_t hash; ///< lower half of hashTokenBytes
  uint32_t id;   ///< kNoToken: empty
};

struct MergeSlot {
  uint32_t left, right;
  uint32_t rank;   ///< lower is merged first; the leftmost pair if equal
  uint32_t result; ///< kNoToken: empty
};

static_assert(sizeof(SectionRange) == 16, "part of the format");
static_assert(sizeof(TokenizerHeader) == 48 + kTokenizerSections * 16,
              "part of the format");
static_assert(sizeof(TokenSlot) == 8, "part of the format");
static_assert(sizeof(MergeSlot) == 16, "part of the format");
static_assert(sizeof(TokenClass) == 1, "part of the format");

/// Spreads the bits of a number (the finalizer of a multiplicative hash).
inline uint64_t mixBits(uint64_t x) {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93ULL;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93ULL;
  x ^= x >> 32;
  return x;
}

/// The hash of TokenTable.
inline uint64_t hashTokenBytes(std::string_view bytes) {
  uint64_t h = bytes.size();
  for (char c : bytes)
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mixBits(h);
}

/// The hash of MergeTable.
inline uint64_t hashMergePair(uint32_t left, uint32_t right) {
  return mixBits(static_cast<uint64_t>(left) << 32 | right);
}

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_TOKENIZERFORMAT_H
