//===- Vocabulary.h - What a tokenizer file says ----------------*- C++ -*-===//
//
// tokenizer.model (sentencepiece or tiktoken text), tokenizer.json, GGUF keys
//   =>  one struct, from which the compiler makes the tokenizer of a model.so
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_VOCABULARY_H
#define LLAMA_WEIGHTS_VOCABULARY_H

#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llamaweights {

enum class VocabularyKind : uint8_t {
  SentencePiece, ///< `sentencePieceModel` holds a serialized ModelProto
  ByteLevelBPE,  ///< tokens are byte strings, joined by ranked merges
};

enum class TokenType : uint8_t {
  Normal = 1,
  Unknown = 2,
  Control = 3, ///< special: recognized only where special tokens are allowed
  UserDefined = 4,
  Unused = 5,
  Byte = 6,
};

/// How text is cut into pieces before the merges of a byte-level BPE run.
enum class PreTokenizer : uint8_t {
  Llama3, ///< Llama 3's pattern: numbers in groups of three
  GPT2,   ///< GPT-2's pattern
  SmolLM, ///< every digit alone, then GPT-2's pattern
};

struct Merge {
  uint32_t left, right, result; ///< token ids
};

struct Vocabulary {
  VocabularyKind kind = VocabularyKind::ByteLevelBPE;
  /// Where a format lists pieces and scores instead,
  /// makeSentencePieceVocabulary (Tokenizers/SentencePieceModel.h) writes it.
  std::string sentencePieceModel;
  /// Bytes of each id (text of special ones). Spaces are spaces, as in the text
  /// that the token stands for.
  std::vector<std::string> tokens;
  std::vector<TokenType> types; ///< of each id
  std::vector<Merge> merges;    ///< in rank order; byte-level BPE only
  /// Merges with the same result have the same rank, that of the first.
  bool equalRankForEqualResult = false;
  PreTokenizer preTokenizer = PreTokenizer::Llama3;
  /// A piece that is itself a token is emitted whole before any merge.
  bool wholePieceFirst = false;
  /// Sentencepiece: encoding puts a space in front, decoding drops it.
  bool addSpacePrefix = false;
  /// Sentencepiece: decoding drops every space in front.
  bool removeExtraSpaces = false;
  bool addBos = false;
  bool addEos = false;
  std::optional<int64_t> bosToken;
  std::vector<int64_t> eosTokens; ///< every id that ends a reply
  std::string chatTemplate;       ///< Jinja source, empty if unknown
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_VOCABULARY_H
