//===- Sampler.cpp - What every sampler has -------------------------------===//

#include "runtime/Sampler/Sampler.h"

#include "runtime/Error.h"
#include "runtime/Sampler/Distribution.h"

namespace llamart {

SamplerState::~SamplerState() = default;

Sampler::~Sampler() = default;

std::unique_ptr<SamplerState>
Sampler::loadState(std::string_view /*saved*/) const {
  throw Error(
      ErrorKind::State,
      "the saved state is of a sampler that remembers; this one does not");
}

void Sampler::observePrompt(std::span<const float>, size_t,
                            SamplerState *) const {}

void SampleTrace::fill(std::span<const float> logits, int32_t id,
                       const Candidates &left) {
  EntropyStats stats = computeEntropy(logits);
  entropy = stats.entropy;
  varentropy = stats.varentropy;
  Candidates all = weighAll(logits);
  double total = sumWeights(all.weights); // 0 if every logit is NaN
  probability = total > 0.0 ? all.weights[id] / total : 0.0;
  candidates = left.findBest(candidateLimit);
}

} // namespace llamart
