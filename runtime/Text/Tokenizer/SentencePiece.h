//===- SentencePiece.h - Text to ids as sentencepiece has them --*- C++ -*-===//
//
// " tests"  =>  U+2581 't' 'e' 's' 't' 's'  =>  U+2581 "test", 's'
//
// Reads the library's own models, of the kind BPE, and gives its ids: a text is
// rewritten (character rules, spaces), cut into characters and user-defined
// pieces, and of neighbours that are a piece those with the largest score are
// merged, the leftmost of equals.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECE_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECE_H

#include "runtime/Text/Tokenizer/CharacterRules.h"
#include "runtime/Text/Tokenizer/SentencePieceModel.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace llamart {

class SentencePiece {
public:
  /// Opens a serialized ModelProto, which must have `pieces` pieces and stay
  /// where it is. Throws Error (Model) if it has not.
  SentencePiece(std::string_view bytes, uint32_t pieces);

  /// Appends the ids of a text.
  void encode(std::string_view text, std::vector<int32_t> &ids) const;

  /// The text that is cut into pieces.
  std::string normalize(std::string_view text) const;

private:
  friend class PieceMerger;

  void addPiece(uint32_t id);
  void rankScores();
  void findBytePieces();

  /// Bytes of the longest user-defined piece in front of a text; 0: none.
  size_t matchUserDefined(std::string_view text) const;

  /// What the front of a text becomes, and how much of it is taken.
  CharacterRules::Match rewriteFront(std::string_view text) const;

  /// The id of a piece, of the unknown one if there is none.
  uint32_t getId(std::string_view text) const;

  SentencePieceModel model;
  CharacterRules rules;
  std::vector<uint32_t> ranks; ///< of pieces by score, 0: the largest
  /// Pieces that merges make, and the others.
  std::unordered_map<std::string_view, uint32_t> mergeable, reserved;
  /// By the first byte: lengths of user-defined pieces, longest first.
  std::array<std::vector<size_t>, 256> userDefinedLengths;
  std::array<uint32_t, 256> bytePieces = {}; ///< where byteFallback is set
  uint32_t unknown = llamaabi::kNoToken;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECE_H
