//===- TokenizerImpl.h - The parts of an open tokenizer ---------*- C++ -*-===//
//
// Private to runtime/Text/Tokenizer.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZERIMPL_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZERIMPL_H

#include "runtime/Text/Tokenizer/SentencePiece.h"
#include "runtime/Text/Tokenizer/SpecialTokens.h"
#include "runtime/Text/Tokenizer/Splitter.h"
#include "runtime/Text/Tokenizer/Tokenizer.h"
#include "runtime/Text/Tokenizer/TokenizerBlob.h"

namespace llamart {

struct Tokenizer::Impl {
  explicit Impl(const TokenizerBlob &opened);

  bool isSentencePiece() const { return sentencePiece != nullptr; }

  /// Ids of a text without special tokens, after the normalizer. Appends.
  /// `isStart`: it begins the prompt.
  void encodeText(std::string_view text, bool isStart,
                  std::vector<int32_t> &ids) const;

  /// The same of a text without those that are looked for before it.
  void encodeRaw(std::string_view text, bool isStart, bool allowControl,
                 std::vector<int32_t> &ids) const;

  /// Ids of a text with user-defined tokens, and control tokens if allowed.
  void encodeMixed(std::string_view text, bool isStart, bool allowControl,
                   std::vector<int32_t> &ids) const;

  TokenizerBlob blob;
  TextSteps steps;
  SpecialTokens specials;
  Splitter splitter;
  std::unique_ptr<SentencePiece> sentencePiece;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZERIMPL_H
