//===- MetaParams.h - Meta's params.json ------------------------*- C++ -*-===//
//
// dim, n_layers, n_heads ... and the shapes of two tensors  =>  ModelConfig
//
// The file leaves out what Meta's programs know: the width of the feed-forward
// layers follows from a rule, the factor of RoPE scaling from the generation of
// the model, and the number of tokens may be -1.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONFIGS_METAPARAMS_H
#define LLAMA_WEIGHTS_CONFIGS_METAPARAMS_H

#include "weights/ModelConfig.h"

namespace llamaweights {

/// Shapes of stored tensors that params.json is silent or vague about.
struct MetaShapes {
  std::optional<int64_t> vocab; ///< rows of tok_embeddings
  std::optional<int64_t> ffn;   ///< rows of layers.0.feed_forward.w1
  bool hasOutput = false;       ///< whether there is an output matrix
};

/// How the matrices of Meta's quantized checkpoints are stored.
struct MetaQuantization {
  int64_t groupSize = 32; ///< columns that share a scale
  /// SpinQuant: w2 expects its input Hadamard-transformed.
  bool isHadamardRotated = false;
  int64_t loraRank = 0; ///< 0: no adaptors
  double loraScale = 0.0;
};

/// Reads the text of a params.json; `where` is its path. The result is
/// validated. Where `quantization` is null, quantized checkpoints are refused.
llvm::Expected<ModelConfig>
parseMetaParams(llvm::StringRef text, llvm::StringRef where,
                const MetaShapes &shapes,
                std::optional<MetaQuantization> *quantization = nullptr);

/// Meta's rule: two thirds of 4 * dim, times the multiplier, rounded down each
/// time and finally up to a multiple of `multipleOf`.
int64_t getMetaFfn(int64_t dim, double multiplier, int64_t multipleOf);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONFIGS_METAPARAMS_H
