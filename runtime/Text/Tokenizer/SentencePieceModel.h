//===- SentencePieceModel.h - A serialized ModelProto -----------*- C++ -*-===//
//
// Bytes of the section SentencePieceModel  =>  pieces and the rules around them.
// Field numbers are those of sentencepiece_model.proto.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECEMODEL_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECEMODEL_H

#include "runtime/abi/TokenizerFormat.h"

#include <string_view>
#include <vector>

namespace llamart {

struct SentencePieceModel {
  struct Piece {
    std::string_view text; ///< with U+2581 for a space
    float score = 0.0F;    ///< larger is merged first
    llamaabi::TokenClass type = llamaabi::TokenClass::Normal;
  };

  std::vector<Piece> pieces; ///< at the places of their ids
  std::string_view characterRules;
  uint64_t modelType = 1; ///< 1: unigram, 2: BPE
  bool byteFallback = false;
  bool spaceAsSuffix = false;
  bool addSpacePrefix = true;
  bool removeExtraSpaces = true;
  bool escapeSpaces = true;

  /// Throws Error (Model) if the bytes are not fields as protobuf writes them,
  /// or the model is no BPE. The result points into them.
  static SentencePieceModel read(std::string_view bytes);
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECEMODEL_H
