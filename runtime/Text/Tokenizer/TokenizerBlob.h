//===- TokenizerBlob.h - The sections of a tokenizer, checked ---*- C++ -*-===//
//
// Bytes of the symbol llama_tokenizer  =>  typed views into them. Opening looks
// at the header only (rules F1, F2, F3, F5); what is taken out of a section is
// checked when it is taken (F4, F7), so that opening costs no page of the file.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZERBLOB_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZERBLOB_H

#include "runtime/abi/TokenizerFormat.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace llamart {

struct TokenizerBlob {
  const llamaabi::TokenizerHeader *header = nullptr;
  std::span<const uint32_t> tokenOffsets; // [vocabSize + 1]
  std::string_view tokenBytes;
  std::span<const llamaabi::TokenClass> tokenTypes; // [vocabSize]
  std::span<const uint32_t> eosTokens;
  std::span<const uint32_t> specialTokens;
  std::span<const llamaabi::TokenSlot> tokenTable;
  std::span<const uint32_t> byteTokens; // [256]
  std::span<const llamaabi::MergeSlot> mergeTable;
  std::string_view sentencePieceModel;
  std::string_view chatTemplate;
  std::span<const llamaabi::SpecialRule> specialRules; // sorted by id
  std::string_view textSteps;
  std::span<const double> scores; // [vocabSize] of unigram

  /// Throws Error (Model) if a rule of the format is broken.
  static TokenizerBlob open(const void *blob, size_t size);

  bool has(llamaabi::TokenizerFlags flag) const {
    return (header->flags & flag) != 0;
  }

  bool isKind(llamaabi::TokenizerKind kind) const {
    return header->kind == static_cast<uint32_t>(kind);
  }

  /// Bytes of a token; empty if the id or its offsets are out of range.
  std::string_view getBytes(uint32_t id) const;

  /// Unused if the id is out of range.
  llamaabi::TokenClass getType(uint32_t id) const {
    return id < tokenTypes.size() ? tokenTypes[id]
                                  : llamaabi::TokenClass::Unused;
  }

  /// SpecialFlags of a special token.
  uint32_t getSpecialFlags(uint32_t id) const;

  /// Whether every byte of a text has a token.
  bool hasByteTokens(std::string_view text) const {
    return std::ranges::all_of(text, [&](unsigned char byte) {
      return byteTokens[byte] != llamaabi::kNoToken;
    });
  }

  /// The normal token with these bytes, or kNoToken.
  uint32_t findToken(std::string_view bytes) const;

  /// The merge of two tokens, or null.
  const llamaabi::MergeSlot *findMerge(uint32_t left, uint32_t right) const;

private:
  /// How many slots of a table a search looks at, at most.
  uint64_t getProbes(uint64_t slots) const {
    return std::min(uint64_t(header->maxProbe) + 1, slots);
  }
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZERBLOB_H
