//===- StandardSampler.h - The chain of steps before a draw -----*- C++ -*-===//
//
// The distribution that a step draws from, for the sampler and for its tests.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_STANDARDSAMPLER_H
#define LLAMA_RUNTIME_SAMPLER_STANDARDSAMPLER_H

#include "runtime/Sampler/Candidates.h"
#include "runtime/Sampler/OptionField.h"
#include "runtime/Sampler/Sampler.h"
#include "runtime/Sampler/Selector.h"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace llamart {

/// The numbers among the options, with llama.cpp's names.
std::span<const OptionField<SamplerOptions>> getStandardFields();

/// "top_k" => ChainStep::TopK; nothing if there is no such step.
std::optional<ChainStep> findChainStep(std::string_view name);
std::string listChainSteps();

/// What is left to draw from in one step. Keeps its memory between steps: a
/// vocabulary is large enough for fresh memory to cost more than the
/// arithmetic.
class SamplerChain {
public:
  /// What the chain leaves, weighted at its temperature. `coin`, in [0, 1), is
  /// XTC's. Valid until the next call.
  const Candidates &run(const SampleInput &input, const SamplerOptions &options,
                        double coin);

  /// What Mirostat leaves at `surprise`, its state, in bits.
  const Candidates &runMirostat(const SampleInput &input,
                                const SamplerOptions &options, double surprise);

private:
  void begin(const SampleInput &input, const SamplerOptions &options);
  void apply(ChainStep step, const SampleInput &input,
             const SamplerOptions &options, double coin);

  void applyPenalties(const SampleInput &input, const SamplerOptions &options);
  void applyDry(const SampleInput &input, const SamplerOptions &options);
  void keepNearBest(double deviations);
  void keepTypical(double mass);
  bool isMoreTypical(uint32_t a, uint32_t b) const;
  void cutTypical(double weight);
  void keepTopMass(double mass);
  void keepProbable(double share);
  void dropTopChoices(double threshold);
  void applyTemperature(const SamplerOptions &options);
  double estimateMirostatCount(double surprise) const;

  void weigh();
  void own();
  float *find(int32_t id);
  void keep(std::span<const uint32_t> indices);
  template <typename Keeps>
  void keepIf(Keeps keeps);

  Selector selector;
  std::span<const float> left; ///< logits of what is left
  std::vector<float> kept;     ///< their memory, once something was changed
  std::vector<uint32_t> some;  ///< indices that a step keeps
  std::vector<double> scores;
  std::vector<uint16_t> buckets; ///< of scores
  double scale = 1.0;            ///< by which logits are yet to be divided
  Candidates candidates;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_STANDARDSAMPLER_H
