//===- GgufModel.h - What the keys of a *.gguf file mean --------*- C++ -*-===//
//
//   llama.embedding_length, llama.block_count ...  =>  ModelConfig
//   tokenizer.ggml.tokens, .merges, .scores ...    =>  Vocabulary
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONFIGS_GGUFMODEL_H
#define LLAMA_WEIGHTS_CONFIGS_GGUFMODEL_H

#include "weights/Containers/Gguf.h"
#include "weights/ModelConfig.h"
#include "weights/Vocabulary.h"

namespace llamaweights {

/// Hyper-parameters out of the keys, and out of three tensors: token_embd (the
/// number of tokens), output (whether it is tied), rope_freqs (divisors of the
/// rotary frequencies). The result is validated.
llvm::Expected<ModelConfig> readGgufConfig(const GgufFile &file);

/// The divisors in rope_freqs.weight, empty if there is no such tensor.
llvm::Expected<std::vector<double>> readGgufRopeDivisors(const GgufFile &file);

/// The tokenizer; none if the file has none. Kinds "gpt2" (byte-level BPE) and
/// "llama" (sentencepiece).
llvm::Expected<std::optional<Vocabulary>>
readGgufVocabulary(const GgufFile &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONFIGS_GGUFMODEL_H
