//===- Candidates.h - Tokens that may be drawn ------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_SAMPLER_CANDIDATES_H
#define LLAMA_RUNTIME_SAMPLER_CANDIDATES_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace llamart {

struct Candidates {
  std::vector<int32_t> ids;    ///< empty if every token may be drawn
  std::vector<double> weights; ///< not normalized, unless said

  int32_t getId(size_t index) const {
    return ids.empty() ? static_cast<int32_t>(index) : ids[index];
  }

  /// The index of the candidate at `uniform`, in [0, 1), of the total weight.
  size_t draw(double uniform) const;

  /// At most so many, the most probable first, the first ones if equal, with
  /// probabilities for weights. None has a probability of 0.
  Candidates findBest(size_t count) const;
};

/// All tokens; the weights are softmax(logits), not normalized.
Candidates weighAll(std::span<const float> logits);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_CANDIDATES_H
