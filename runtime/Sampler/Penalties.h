//===- Penalties.h - What repeats itself becomes less likely ----*- C++ -*-===//

#ifndef LLAMA_RUNTIME_SAMPLER_PENALTIES_H
#define LLAMA_RUNTIME_SAMPLER_PENALTIES_H

#include "runtime/Sampler/Sampler.h"

#include <cstdint>
#include <span>
#include <unordered_map>

namespace llamart {

bool hasPenalties(const SamplerOptions &options);
bool hasDry(const SamplerOptions &options);

/// How often each token stands in the penalties' window.
std::unordered_map<int32_t, int32_t>
countRecent(std::span<const int32_t> history, const SamplerOptions &options);

/// A logit after repeat, frequency and presence penalty; `count` at least 1.
template <typename Logit>
Logit penalize(Logit logit, int32_t count, const SamplerOptions &options) {
  Logit scaled = logit <= 0 ? logit * Logit(options.repeatPenalty)
                            : logit / Logit(options.repeatPenalty);
  return scaled - (Logit(count) * Logit(options.frequencyPenalty) +
                   Logit(options.presencePenalty));
}

/// For each token that would go on with a repetition, how many tokens before it
/// are repeated: at least the allowed length. No breaker is among them.
std::unordered_map<int32_t, int32_t>
findRepetitions(std::span<const int32_t> history,
                const SamplerOptions &options);

/// What DRY subtracts from the logit of a token that goes on with a repetition
/// of `length`.
double getDryPenalty(int32_t length, const SamplerOptions &options);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_PENALTIES_H
