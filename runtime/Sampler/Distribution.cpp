//===- Distribution.cpp - Weights and entropy of logits -------------------===//
//
// Sums and maxima go in eight lanes, so that one addition does not wait for the
// one before it; how wide the machine's vectors are does not change the order.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/Distribution.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

// The same source for wider vectors, chosen when the program is loaded. Without
// fused multiply-add (see CMakeLists.txt) the results are the same bits.
#if defined(__x86_64__)
#define LLAMA_VECTOR_CLONES                                                    \
  __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LLAMA_VECTOR_CLONES
#endif

namespace llamart {
namespace {

constexpr size_t kLanes = 8;

/// exp(x) for x <= 0: x = n ln 2 + r, a Taylor series for r in
/// [-ln 2 / 2, ln 2 / 2] (the term after the last is below 5e-18), times 2^n.
/// Straight-line code, so that the loop around it becomes vector code.
inline double expOfNegative(double x) {
  constexpr double kLog2E = 0x1.71547652b82fep+0;
  constexpr double kLn2High = 0x1.62e42feep-1; // 32 bits: n * kLn2High is exact
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kRound = 0x1.8p52; // adding it leaves an integer in the bits
  constexpr double kSmallest = -708.0; // above the subnormal results
  double clamped = x > kSmallest ? x : kSmallest;
  double rounded = clamped * kLog2E + kRound;
  double n = rounded - kRound;
  double r = (clamped - n * kLn2High) - n * kLn2Low;
  double sum = 1.0 / 6227020800; // 1 / 13!
  sum = sum * r + 1.0 / 479001600;
  sum = sum * r + 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  uint64_t exponent = std::bit_cast<uint64_t>(rounded) << 52;
  double result =
      std::bit_cast<double>(std::bit_cast<uint64_t>(sum) + exponent);
  return x >= kSmallest ? result : 0.0; // NaN: 0
}

/// Distance to the largest logit, 0 for those equal to it, NaN for a NaN.
inline double getDistance(float logit, float largest) {
  return logit == largest ? 0.0 : double(logit) - double(largest);
}

double sumLanes(const std::array<double, kLanes> &lanes) {
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

} // namespace

float getLargest(std::span<const float> logits) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  std::array<float, kLanes> lanes;
  lanes.fill(kLowest);
  size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] =
          logits[i + lane] > lanes[lane] ? logits[i + lane] : lanes[lane];
  for (; i < logits.size(); ++i)
    lanes[0] = logits[i] > lanes[0] ? logits[i] : lanes[0];
  float largest = kLowest;
  for (float lane : lanes)
    largest = lane > largest ? lane : largest;
  return largest;
}

int32_t findLargest(std::span<const float> logits) {
  float largest = getLargest(logits);
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] == largest)
      return static_cast<int32_t>(i);
  return 0; // nothing but NaN
}

LLAMA_VECTOR_CLONES void computeWeights(std::span<const float> logits,
                                        double temperature,
                                        std::span<double> weights) {
  float largest = getLargest(logits);
  for (size_t i = 0; i < logits.size(); ++i)
    weights[i] = expOfNegative(getDistance(logits[i], largest) / temperature);
}

LLAMA_VECTOR_CLONES void exponentiate(std::span<const double> values,
                                      std::span<double> result) {
  for (size_t i = 0; i < values.size(); ++i)
    result[i] = expOfNegative(values[i]);
}

double sumWeights(std::span<const double> weights) {
  std::array<double, kLanes> lanes = {};
  size_t i = 0;
  for (; i + kLanes <= weights.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += weights[i + lane];
  for (; i < weights.size(); ++i)
    lanes[i % kLanes] += weights[i];
  return sumLanes(lanes);
}

EntropyStats computeEntropy(std::span<const float> logits) {
  // With d = l - largest and Z = sum e^d: -ln p = ln Z - d, so the entropy is
  // ln Z - mean(d) and the varentropy is the variance of d, means under p.
  std::vector<double> weights(logits.size());
  computeWeights(logits, 1.0, weights);
  double total = sumWeights(weights);
  float largest = getLargest(logits);
  auto getMean = [&](auto value) {
    std::array<double, kLanes> lanes = {};
    for (size_t i = 0; i < logits.size(); ++i) {
      double d = getDistance(logits[i], largest);
      lanes[i % kLanes] += weights[i] > 0.0 ? weights[i] * value(d) : 0.0;
    }
    return sumLanes(lanes) / total;
  };
  double mean = getMean([](double d) { return d; });
  double variance = getMean([&](double d) { return (d - mean) * (d - mean); });
  constexpr double kLn2 = 0x1.62e42fefa39efp-1;
  return {(std::log(total) - mean) / kLn2, variance / (kLn2 * kLn2)};
}

} // namespace llamart
