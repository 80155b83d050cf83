//===- ModelConfig.h - Hyper-parameters of a Llama model --------*- C++ -*-===//
//
// config.json, params.json, GGUF keys, model.json  =>  one validated struct.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_MODELCONFIG_H
#define LLAMA_WEIGHTS_MODELCONFIG_H

#include "weights/RopeScaling.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llamaweights {

struct ModelConfig {
  int64_t hidden = 0;
  int64_t ffn = 0;
  int64_t vocab = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headDim = 0;
  int64_t maxSeqLen = 0; ///< positions the model was made for
  double normEps = 0.0;
  double ropeTheta = 0.0;
  std::optional<RopeScaling> ropeScaling;
  /// Divisors of the rotary frequencies listed by the checkpoint itself
  /// (GGUF's rope_freqs), headDim / 2 of them; empty where there are none.
  std::vector<double> ropeDivisors;
  /// Cosines and sines of the rotary angles are multiplied by it.
  double ropeAttentionFactor = 1.0;
  bool tiedEmbeddings = false;
  /// Of a pruned model, whose output matrix has rows for a few tokens only: the
  /// token of each row. Empty: row i is token i.
  std::vector<int64_t> outputTokens;
  std::optional<int64_t> bosToken;
  std::vector<int64_t> eosTokens;
  /// What was concluded though the files say nothing, or something else: a line
  /// each, for people.
  std::vector<std::string> remarks;

  /// Checks every relation between the fields. `where` (a file) begins the
  /// message.
  llvm::Error validate(llvm::StringRef where) const;

  /// Rows of the output matrix.
  int64_t getOutputRows() const {
    return outputTokens.empty() ? vocab : int64_t(outputTokens.size());
  }

  /// Rotary frequencies in radians per position, headDim / 2 of them, with the
  /// scaling applied; ropeAttentionFactor is not part of them.
  std::vector<double> getRopeFrequencies() const;

  /// All of it, under the keys of model.json and in their order.
  nlohmann::ordered_json toJson() const;
};

/// What the rotary frequencies of `config` are divided by: headDim / 2 numbers,
/// from its scaling rule or as they are listed; empty without either.
std::vector<double> getRopeDivisors(const ModelConfig &config);

/// The rule of Llama 3.1 that gives the divisors that `config` lists, to within a relative
/// `tolerance` after rounding to f32; none if no rule that is in use does.
std::optional<RopeScaling> recognizeRopeScaling(const ModelConfig &config,
                                                double tolerance);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_MODELCONFIG_H
