//===- TestVocabulary.h - Small tokenizers for tests ------------*- C++ -*-===//
//
// Vocabularies written down by hand, serialized and opened as in a model.so.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_RUNTIME_TEXT_TOKENIZER_TESTVOCABULARY_H
#define LLAMA_TEST_RUNTIME_TEXT_TOKENIZER_TESTVOCABULARY_H

#include "compiler/Output/EmbedTokenizer.h"
#include "runtime/Text/Tokenizer/Tokenizer.h"
#include "weights/Tokenizers/SentencePieceModel.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace llamatest {

/// All bytes (id: the byte), then tokens that are added one by one.
struct VocabularyBuilder {
  llamaweights::Vocabulary vocabulary;

  VocabularyBuilder() {
    vocabulary.kind = llamaweights::VocabularyKind::ByteLevelBPE;
    vocabulary.preTokenizer = llamaweights::PreTokenizer::Llama3;
    for (int byte = 0; byte < 256; ++byte)
      add(std::string(1, char(byte)), llamaweights::TokenType::Normal);
  }

  int32_t add(const std::string &text, llamaweights::TokenType type) {
    vocabulary.tokens.push_back(text);
    vocabulary.types.push_back(type);
    return int32_t(vocabulary.tokens.size() - 1);
  }

  int32_t control(const std::string &text) {
    return add(text, llamaweights::TokenType::Control);
  }

  /// The merge of two tokens; its result is a new one.
  int32_t merge(int32_t left, int32_t right) {
    int32_t result = add(vocabulary.tokens[left] + vocabulary.tokens[right],
                         llamaweights::TokenType::Normal);
    vocabulary.merges.push_back(
        {uint32_t(left), uint32_t(right), uint32_t(result)});
    return result;
  }
};

/// A sentencepiece vocabulary: <unk>, <s>, </s>, 256 bytes, then `pieces` with
/// falling scores.
inline llamaweights::Vocabulary
makeSentencePieces(const std::vector<std::string> &texts,
                   bool addSpacePrefix = true) {
  using llamaweights::TokenType;
  std::vector<llamaweights::SentencePiece> pieces = {
      {"<unk>", 0, TokenType::Unknown},
      {"<s>", 0, TokenType::Control},
      {"</s>", 0, TokenType::Control}};
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", unsigned(byte));
    pieces.push_back({text, 0, TokenType::Byte});
  }
  for (const std::string &text : texts)
    pieces.push_back({text, -float(pieces.size()), TokenType::Normal});
  llamaweights::SentencePieceOptions options;
  options.addSpacePrefix = addSpacePrefix;
  auto vocabulary = llvm::cantFail(
      llamaweights::makeSentencePieceVocabulary(pieces, options, "test"));
  vocabulary.bosToken = 1;
  vocabulary.eosTokens = {2};
  vocabulary.addBos = true;
  return vocabulary;
}

/// A tokenizer and the blob it lies in.
struct OpenTokenizer {
  std::string blob;
  std::unique_ptr<llamart::Tokenizer> tokenizer;

  explicit OpenTokenizer(const llamaweights::Vocabulary &vocabulary)
      : blob(llvm::cantFail(mlir::llama::serializeTokenizer(vocabulary))),
        tokenizer(llamart::Tokenizer::open(blob.data(), blob.size())) {}
  llamart::Tokenizer *operator->() const { return tokenizer.get(); }
  const llamart::Tokenizer &operator*() const { return *tokenizer; }
};

using Ids = std::vector<int32_t>;

} // namespace llamatest

#endif // LLAMA_TEST_RUNTIME_TEXT_TOKENIZER_TESTVOCABULARY_H
