//===- StandardSampler.h - Penalties, top-k, top-p, min-p, temperature
//-*-C++-*//
//
// The distribution that a step draws from, for the sampler and for its tests.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_STANDARDSAMPLER_H
#define LLAMA_RUNTIME_SAMPLER_STANDARDSAMPLER_H

#include "runtime/Sampler/Sampler.h"
#include "runtime/Sampler/Selector.h"

#include <span>
#include <vector>

namespace llamart {

/// Tokens that may be drawn, in ascending order of their ids.
struct Choices {
  std::vector<int32_t> ids;    ///< empty if every token may be
  std::vector<double> weights; ///< not normalized, the largest is 1

  int32_t getId(size_t index) const {
    return ids.empty() ? static_cast<int32_t>(index) : ids[index];
  }
};

/// Applies the penalties to `logits`, [vocab], a copy of the input's.
void applyPenalties(const SampleInput &input, const SamplerOptions &options,
                    std::vector<float> &logits);

/// The distribution of one step. Keeps its memory between steps: a vocabulary
/// is large enough for fresh memory to cost more than the arithmetic.
class ChoiceMaker {
public:
  /// What is left of logits after top-k, top-p and min-p, weighted at the
  /// temperature, which must be greater than 0. Valid until the next call.
  const Choices &make(std::span<const float> logits,
                      const SamplerOptions &options);

private:
  void weigh(double temperature);
  void keep(std::span<const uint32_t> indices);

  Selector selector;
  std::span<const float> left; ///< logits of what is left
  std::vector<float> kept;     ///< their memory, once something was dropped
  std::vector<uint32_t> large; ///< indices that min-p keeps
  Choices choices;
};

/// The index of the choice at `uniform`, in [0, 1), of the total weight.
size_t pickChoice(const Choices &choices, double uniform);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_STANDARDSAMPLER_H
