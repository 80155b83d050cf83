//===- PieceVocabulary.h - A tokenizer.json whose tokens are pieces of text -*- C++ -*-===//
//
// The BPE of characters with byte fallback of Llama 2, and Unigram  =>
// Vocabulary.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_PIECEVOCABULARY_H
#define LLAMA_WEIGHTS_TOKENIZERS_PIECEVOCABULARY_H

#include "weights/Tokenizers/JsonBpe.h"

namespace llamaweights {

/// Whether a tokenizer.json is of this kind, and not byte-level.
bool isPieceTokenizer(const BpeReader &reader);

/// All but what the post-processor says. Takes the contents of `reader.bpe`.
llvm::Expected<Vocabulary> readPieceVocabulary(BpeReader &reader);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_PIECEVOCABULARY_H
