//===- ByteFallbackBpe.h - Llama 2's tokenizer.json as sentencepiece -*-C++-*-//
//
// Pieces and ranked merges  =>  pieces with scores, a sentencepiece model
//
// sentencepiece has no list of merges: two neighbours may be joined whenever
// the two together are a piece, the one with the highest score first. A list of
// merges says the same if it holds every cut of a piece into two pieces and
// keeps those of one piece together. The one difference left: among cuts of the
// same piece the leftmost goes first, not the one listed first.
//
// For formats that hold pieces and scores (GGUF); encoding uses the merges.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_BYTEFALLBACKBPE_H
#define LLAMA_WEIGHTS_TOKENIZERS_BYTEFALLBACKBPE_H

#include "weights/Vocabulary.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llamaweights {

/// A CharacterBPE as a sentencepiece model. An error, beginning with `where`, if
/// its merges are not those of one, or if it treats texts in another way.
llvm::Expected<Vocabulary> convertByteFallbackBpe(const Vocabulary &bpe,
                                                  llvm::StringRef where);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_BYTEFALLBACKBPE_H
