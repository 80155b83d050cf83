//===- SentencePieceVocabulary.h - Pieces of a sentencepiece model as a Vocabulary -*- C++ -*-===//
//
// The half of SentencePieceModel that has nothing to do with reading files.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_SENTENCEPIECEVOCABULARY_H
#define LLAMA_WEIGHTS_TOKENIZERS_SENTENCEPIECEVOCABULARY_H

#include "weights/Tokenizers/ProtobufWire.h"
#include "weights/Tokenizers/SentencePieceModel.h"

namespace llamaweights {

/// What the model says about itself besides its pieces; defaults of the format.
struct SentencePieceSpec {
  int64_t modelType = 1; ///< 1 unigram, 2 BPE
  int32_t bos = 1, eos = 2;
  std::string unknownSurface = " \xE2\x81\x87 "; ///< what unknown decodes to
  bool spaceAsSuffix = false;
  bool addSpacePrefix = true;
  bool removeExtraSpaces = true;
  llvm::StringRef charsMap;
};

/// What this project, and the library, demand of a model.
llvm::Error checkSpec(const SentencePieceSpec &spec, llvm::StringRef where);
llvm::Error checkPieces(llvm::ArrayRef<SentencePiece> pieces,
                        llvm::StringRef where);

/// The bytes that a piece stands for in a text.
std::string getPieceBytes(const SentencePiece &piece);

/// Kind, tokens, types and spaces.
Vocabulary makeVocabulary(llvm::ArrayRef<SentencePiece> pieces,
                          const SentencePieceSpec &spec);

/// Appends a piece to a ModelProto.
void addPiece(const SentencePiece &piece, WireWriter &model);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_SENTENCEPIECEVOCABULARY_H
