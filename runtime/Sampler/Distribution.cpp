//===- Distribution.cpp - Weights and entropy of logits -------------------===//
//
// Sums and maxima go in eight lanes, so that one addition does not wait for the
// one before it; how wide the machine's vectors are does not change the order.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/Distribution.h"

#include "runtime/Sampler/BranchFreeMath.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace llamart {
namespace {

constexpr size_t kLanes = 8;

/// Distance to the largest logit, 0 for those equal to it, NaN for a NaN.
inline double getDistance(float logit, float largest) {
  return logit == largest ? 0.0 : double(logit) - double(largest);
}

double sumLanes(const std::array<double, kLanes> &lanes) {
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

/// term(0) + term(1) + ... in lanes.
template <typename Term>
[[gnu::always_inline]] inline double sumTerms(size_t count, Term term) {
  std::array<double, kLanes> lanes = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += term(i + lane);
  for (; i < count; ++i)
    lanes[i % kLanes] += term(i);
  return sumLanes(lanes);
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

LLAMA_VECTOR_CLONES void takeLogarithms(std::span<const double> values,
                                        std::span<double> result) {
  for (size_t i = 0; i < values.size(); ++i)
    result[i] = logOfPositive(values[i]);
}

LLAMA_VECTOR_CLONES void computeDistances(std::span<const float> logits,
                                          double temperature,
                                          std::span<double> distances) {
  float largest = getLargest(logits);
  for (size_t i = 0; i < logits.size(); ++i)
    distances[i] = -getDistance(logits[i], largest) / temperature;
}

LLAMA_VECTOR_CLONES Range findRange(std::span<const double> values) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::array<double, kLanes> low, high;
  low.fill(kInfinity);
  high.fill(-kInfinity);
  auto look = [&](size_t lane, double value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
  };
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      look(lane, values[i + lane]);
  for (; i < values.size(); ++i)
    look(0, values[i]);
  return {*std::ranges::min_element(low), *std::ranges::max_element(high)};
}

LLAMA_VECTOR_CLONES double sumWeights(std::span<const double> weights) {
  return sumTerms(weights.size(), [&](size_t i) { return weights[i]; });
}

LLAMA_VECTOR_CLONES double sumProducts(std::span<const double> weights,
                                       std::span<const double> values) {
  return sumTerms(weights.size(), [&](size_t i) {
    return weights[i] > 0.0 ? weights[i] * values[i] : 0.0;
  });
}

LLAMA_VECTOR_CLONES CentralSums sumCentral(std::span<const double> weights,
                                           std::span<const double> values,
                                           double mean) {
  auto getTerm = [&](size_t i) {
    double d = values[i] - mean;
    return weights[i] > 0.0 ? weights[i] * (d * d) : 0.0;
  };
  double second = sumTerms(weights.size(), getTerm);
  double third = sumTerms(weights.size(), [&](size_t i) {
    return weights[i] > 0.0 ? getTerm(i) * (values[i] - mean) : 0.0;
  });
  return {second, third};
}

EntropyStats computeEntropy(std::span<const float> logits) {
  // With d = largest - l and Z = sum e^-d: -ln p = ln Z + d, so the entropy is
  // ln Z + mean(d) and the varentropy is the variance of d, means under p.
  std::vector<double> weights(logits.size()), distances(logits.size());
  computeWeights(logits, 1.0, weights);
  computeDistances(logits, 1.0, distances);
  double total = sumWeights(weights);
  double mean = sumProducts(weights, distances) / total;
  double variance = sumCentral(weights, distances, mean).second / total;
  constexpr double kLn2 = 0x1.62e42fefa39efp-1;
  return {(std::log(total) + mean) / kLn2, variance / (kLn2 * kLn2)};
}

} // namespace llamart
