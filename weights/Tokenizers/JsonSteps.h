//===- JsonSteps.h - Normalizers, Metaspace and decoders of tokenizer.json -*- C++ -*-===//
//
// {"type": "Prepend", "prepend": "_"}, {"type": "Replace", ...}  =>  TextStep[]
//
// Where spaces become U+2581, here it is U+2581 that becomes a space: the two
// are the same to the model, and tokens stand for text with spaces.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_JSONSTEPS_H
#define LLAMA_WEIGHTS_TOKENIZERS_JSONSTEPS_H

#include "weights/Tokenizers/JsonBpe.h"

namespace llamaweights {

struct JsonSteps {
  std::vector<TextStep> steps;
  bool mapsSpaces = false; ///< a space and U+2581 are the same
};

/// Appends the steps of the key "normalizer"; an error names one that is not
/// supported.
llvm::Error readNormalizer(const BpeReader &reader, JsonSteps &steps);

/// Appends those of a pre-tokenizer of the type Metaspace, or of none.
llvm::Error readMetaspace(const BpeReader &reader, JsonSteps &steps);

/// What decoding drops in front of a text, of the key "decoder" of a tokenizer
/// that is not byte-level.
llvm::Error readPieceDecoder(const BpeReader &reader, bool mapsSpaces,
                             Vocabulary &vocabulary);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_JSONSTEPS_H
