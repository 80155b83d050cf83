//===- GgufConfig.h - Hyper-parameters of a *.gguf file ---------*- C++ -*-===//
//
//   llama.embedding_length, llama.block_count ...  =>  ModelConfig
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONFIGS_GGUFCONFIG_H
#define LLAMA_WEIGHTS_CONFIGS_GGUFCONFIG_H

#include "weights/Containers/Gguf.h"
#include "weights/ModelConfig.h"

namespace llamaweights {

/// Hyper-parameters out of the keys, and out of three tensors: token_embd (the
/// number of tokens), output (whether it is tied), rope_freqs (divisors of the
/// rotary frequencies). The result is validated.
llvm::Expected<ModelConfig> readGgufConfig(const GgufFile &file);

/// The divisors in rope_freqs.weight, empty if there is no such tensor.
llvm::Expected<std::vector<double>> readGgufRopeDivisors(const GgufFile &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONFIGS_GGUFCONFIG_H
