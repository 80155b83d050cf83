//===- GgufVocabulary.h - The tokenizer inside a *.gguf file ----*- C++ -*-===//
//
// tokenizer.ggml.tokens, .merges, .scores ...  =>  Vocabulary
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_GGUFVOCABULARY_H
#define LLAMA_WEIGHTS_TOKENIZERS_GGUFVOCABULARY_H

#include "weights/Containers/Gguf.h"
#include "weights/Vocabulary.h"

namespace llamaweights {

/// The tokenizer; none if the file has none. Kinds "gpt2" (byte-level BPE) and
/// "llama" (sentencepiece).
llvm::Expected<std::optional<Vocabulary>>
readGgufVocabulary(const GgufFile &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_GGUFVOCABULARY_H
