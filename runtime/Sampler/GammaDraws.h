//===- GammaDraws.h - Gamma variates, many at a time ------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_SAMPLER_GAMMADRAWS_H
#define LLAMA_RUNTIME_SAMPLER_GAMMADRAWS_H

#include "runtime/Sampler/Philox.h"

#include <cstdint>
#include <span>

namespace llamart {

/// So many random numbers are set aside for each variate.
inline constexpr uint32_t kNumbersPerGamma = 64;

/// result[i] = ln of a gamma variate of shape shapes[i] > 0; the logarithm, for
/// small shapes underflow (Marsaglia and Tsang, "A simple method for generating
/// gamma variables", 2000). Variate i takes its random numbers from `first` +
/// i * kNumbersPerGamma on, as many as it needs.
void drawLogGammas(std::span<const double> shapes, const StepRandom &random,
                   uint32_t first, std::span<double> result);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_GAMMADRAWS_H
