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
//   F8  A byte without a token has kNoToken in ByteTokens. Byte-level BPE leaves
//       it out of the text before merges run; the others read a character whose
//       bytes have no tokens as unknownToken, or leave it out if there is none.
//   F9  TextSteps holds one TextStepHead after the other, each followed by its
//       two texts and zeros up to a multiple of four bytes.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_TOKENIZERFORMAT_H
#define LLAMA_RUNTIME_ABI_TOKENIZERFORMAT_H

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llamaabi {

inline constexpr uint64_t kTokenizerMagic = 0x314B4F54414D4C4CULL; // "LLMATOK1"
inline constexpr uint32_t kTokenizerVersion = 2;
inline constexpr uint64_t kTokenizerAlignment = 16;
inline constexpr uint32_t kNoToken = 0xFFFFFFFFu; ///< an empty slot, no such id

enum class TokenizerKind : uint32_t {
  SentencePiece = 0, ///< read from its own model
  ByteLevelBPE = 1,  ///< merges begin with bytes
  CharacterBPE = 2,  ///< merges begin with characters
  Unigram = 3,       ///< the cut with the largest sum of scores
};
inline constexpr uint32_t kTokenizerKinds = 4;

/// How text is cut into pieces before the merges of a byte-level BPE run.
enum class SplitRule : uint32_t {
  Llama3 = 0,
  GPT2 = 1,
  SmolLM = 2,
  Qwen2 = 3,
  Default = 4, ///< llama.cpp's, for GGUF files that say "default"
  Falcon = 5,
  DeepSeekLLM = 6,
  DeepSeekCoder = 7,
  Tekken = 8,
};
inline constexpr uint32_t kSplitRules = 9;

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
  kDropFirstSpaces = 1u << 5, ///< decoding drops all spaces of the first token
  kFuseUnknown = 1u << 6,     ///< neighbours without a token are one unknown
  /// Special tokens are looked for one after the other, the longest first, each
  /// in all that is left of the text (llama.cpp); else from left to right.
  kLongestFirst = 1u << 7,
};
inline constexpr uint32_t kTokenizerFlagsKnown = 0xFFu;

/// Bits of SpecialRule::flags.
enum SpecialFlags : uint32_t {
  kNormalized = 1u << 0, ///< looked for after the steps of the normalizer
  kStripLeft = 1u << 1,  ///< takes the white space before it
  kStripRight = 1u << 2, ///< takes the white space after it
  kSingleWord = 1u << 3, ///< only where no word character is next to it
};

/// What is done to a text before it is cut, in order.
enum class TextStepKind : uint32_t {
  Replace = 0,    ///< every `from` by `to`
  Prepend = 1,    ///< `to` in front of a text that is not empty
  StripLeft = 2,  ///< white space in front
  StripRight = 3, ///< white space at the end
  Lowercase = 4,  ///< each character alone
  NFC = 5,
  NFD = 6,
  NFKC = 7,
  NFKD = 8,
  PrefixAlways = 9, ///< `to` in front of a text that does not begin with it
  PrefixFirst = 10, ///< the same, where the text begins the prompt
  CutBefore = 11,   ///< a new piece begins at every `from`
};
inline constexpr uint32_t kTextStepKinds = 12;

/// When a step is done: before the normalized special tokens are looked for, or
/// after that.
enum class TextPhase : uint32_t { Normalize = 0, PreTokenize = 1 };

enum class TokenizerSection : uint32_t {
  TokenOffsets,  ///< uint32_t [vocabSize + 1]
  TokenBytes,    ///< char []
  TokenTypes,    ///< TokenClass [vocabSize]
  EosTokens,     ///< uint32_t []
  SpecialTokens, ///< uint32_t []
  TokenTable,    ///< TokenSlot [], tokens that text becomes by itself
  ByteTokens,    ///< uint32_t [256], the id of each byte; not sentencepiece
  MergeTable,    ///< MergeSlot []; BPE
  SentencePieceModel, ///< char [], a serialized ModelProto; sentencepiece
  ChatTemplate,       ///< char [], Jinja source; empty if unknown
  SpecialRules,       ///< SpecialRule [], of special tokens that have any
  TextSteps,          ///< TextStepHead [] with texts (rule F9)
  Scores,             ///< double [vocabSize]; unigram
};
inline constexpr size_t kTokenizerSections = 13;

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
  uint32_t bosToken;     ///< kNoToken if there is none
  uint32_t maxProbe;     ///< F5, of both tables
  uint32_t unknownToken; ///< kNoToken if there is none
  uint32_t longestToken; ///< bytes of the longest one in TokenTable
  SectionRange sections[kTokenizerSections];
};

struct SpecialRule {
  uint32_t id;
  uint32_t flags; ///< SpecialFlags
};

struct TextStepHead {
  uint32_t kind;  ///< TextStepKind
  uint32_t phase; ///< TextPhase
  uint32_t fromBytes, toBytes;
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
static_assert(sizeof(TokenizerHeader) == 56 + kTokenizerSections * 16,
              "part of the format");
static_assert(sizeof(SpecialRule) == 8, "part of the format");
static_assert(sizeof(TextStepHead) == 16, "part of the format");
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
