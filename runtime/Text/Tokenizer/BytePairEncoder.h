//===- BytePairEncoder.h - Merging the bytes of a piece ---------*- C++ -*-===//
//
// " test"  =>  ' ' 't' 'e' 's' 't'  =>  ' t' 'est'  =>  ' test'
//
// The pair of neighbours with the lowest rank is merged, the leftmost of
// equals, until no pair has a rank. n log n in the length of the piece. A byte
// without a token is left out, as if its neighbours were adjacent.
//
// A CharacterBPE begins with characters: one that has no token is the tokens of
// its bytes, else the unknown token, else left out.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_BYTEPAIRENCODER_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_BYTEPAIRENCODER_H

#include "runtime/Text/Tokenizer/MergeQueue.h"
#include "runtime/Text/Tokenizer/TokenizerBlob.h"

#include <vector>

namespace llamart {

/// Working memory for the pieces of one text; not for two threads at a time.
class BytePairEncoder {
public:
  explicit BytePairEncoder(const TokenizerBlob &blob) : blob(blob) {}

  /// Appends the tokens of a piece. One of 2^31 bytes or more is cut there.
  void encode(std::string_view piece, std::vector<int32_t> &ids);

private:
  static constexpr uint32_t kNone = 0xFFFFFFFFu;

  /// A stretch of the piece, in the place of its first byte.
  struct Symbol {
    uint32_t id; ///< kNone: merged into the one before
    uint32_t previous, next;
  };

  void addSymbol(uint32_t id);
  void addBytes(std::string_view piece);
  void addCharacters(std::string_view piece);
  void pushPair(uint32_t left);
  void mergePair(uint32_t left, uint32_t result);

  const TokenizerBlob &blob;
  std::vector<Symbol> symbols;
  MergeQueue queue; ///< of rank << 32 | left
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_BYTEPAIRENCODER_H
