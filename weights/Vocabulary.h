//===- Vocabulary.h - What a tokenizer file says ----------------*- C++ -*-===//
//
// tokenizer.model (sentencepiece or tiktoken text), tokenizer.json, GGUF keys
//   =>  one struct, from which the compiler makes the tokenizer of a model.so
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_VOCABULARY_H
#define LLAMA_WEIGHTS_VOCABULARY_H

#include "runtime/abi/TokenizerFormat.h"

#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace llamaweights {

enum class VocabularyKind : uint8_t {
  SentencePiece, ///< `sentencePieceModel` holds a serialized ModelProto
  ByteLevelBPE,  ///< tokens are byte strings, joined by ranked merges
  CharacterBPE,  ///< the same, but merges begin with characters
  Unigram,       ///< the cut of a text with the largest sum of scores
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
  Llama3,  ///< Llama 3's pattern: numbers in groups of three
  GPT2,    ///< GPT-2's pattern
  SmolLM,  ///< every digit alone, then GPT-2's pattern
  Qwen2,   ///< Llama 3's pattern with every digit alone
  Default, ///< that of llama.cpp where a GGUF file says "default"
  Falcon,
  DeepSeekLLM,
  DeepSeekCoder,
  Tekken, ///< Mistral's
};

struct Merge {
  uint32_t left, right, result; ///< token ids
};

/// How a special token is looked for, if not plainly: as `tokenizers` has it.
struct SpecialRule {
  uint32_t id = 0;
  bool normalized = false;  ///< in the text after the normalizer
  bool stripLeft = false;   ///< with the white space before it
  bool stripRight = false;  ///< with the white space after it
  bool singleWord = false;  ///< only where no word character is next to it
  bool isModelToken = true; ///< text may become it by merges, too
};

/// A step of the normalizer or the pre-tokenizer; kinds and texts are those of
/// runtime/abi/TokenizerFormat.h.
struct TextStep {
  llamaabi::TextStepKind kind;
  llamaabi::TextPhase phase = llamaabi::TextPhase::Normalize;
  std::string from, to;
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
  std::vector<SpecialRule> specialRules;
  std::vector<TextStep> steps;
  std::vector<Merge> merges;  ///< in rank order; BPE only
  std::vector<double> scores; ///< of each id; unigram only
  /// What characters without a token become; not for sentencepiece.
  std::optional<uint32_t> unknownToken;
  bool fuseUnknown = false; ///< several such characters are one token
  /// Special tokens are looked for in the order of llama.cpp: the longest first,
  /// in the whole text.
  bool longestFirst = false;
  /// Merges with the same result have the same rank, that of the first.
  bool equalRankForEqualResult = false;
  PreTokenizer preTokenizer = PreTokenizer::Llama3;
  /// A piece that is itself a token is emitted whole before any merge.
  bool wholePieceFirst = false;
  /// Sentencepiece: encoding puts a space in front. All: decoding drops it.
  bool addSpacePrefix = false;
  /// Sentencepiece: decoding drops every space in front.
  bool removeExtraSpaces = false;
  /// Decoding drops all spaces of the first token (Metaspace).
  bool dropFirstSpaces = false;
  bool addBos = false;
  bool addEos = false;
  std::optional<int64_t> bosToken;
  std::vector<int64_t> eosTokens; ///< every id that ends a reply
  std::string chatTemplate;       ///< Jinja source, empty if unknown
  /// Others by name; bos_token and so on with their texts, as templates see
  /// them.
  std::vector<std::pair<std::string, std::string>> chatTemplates, specialTokens;
  std::string chatProblem; ///< why a template was left out, or empty
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_VOCABULARY_H
