//===- Candidates.h - What is left to draw from -----------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_SAMPLER_CANDIDATES_H
#define LLAMA_RUNTIME_SAMPLER_CANDIDATES_H

#include "runtime/Sampler/Sampler.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace llamart {

/// Tokens that may be drawn, in ascending order of their ids.
struct Candidates {
  std::vector<int32_t> ids;    ///< empty if every token may be
  std::vector<double> weights; ///< not normalized, the largest is 1

  int32_t getId(size_t index) const {
    return ids.empty() ? static_cast<int32_t>(index) : ids[index];
  }
};

/// The index of the choice at `uniform`, in [0, 1), of the total weight.
size_t pickChoice(const Candidates &candidates, double uniform);

/// Entropy and varentropy of the input, the probability of the chosen token,
/// the best of what could have been chosen.
void fillTrace(std::span<const float> logits, int32_t id,
               const Candidates &candidates, SampleTrace &trace);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_CANDIDATES_H
