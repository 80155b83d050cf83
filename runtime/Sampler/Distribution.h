//===- Distribution.h - Weights and entropy of logits -----------*- C++ -*-===//
//
// Everything in double precision, in a fixed order, with an exponential of its
// own: the same logits give the same bits on every machine. A NaN counts as
// minus infinity; logits equal to the largest have weight 1 even if it is
// infinite.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_DISTRIBUTION_H
#define LLAMA_RUNTIME_SAMPLER_DISTRIBUTION_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace llamart {

/// The largest logit.
float getLargest(std::span<const float> logits);

/// The index of the largest logit, the lowest index if equal; `logits` must not
/// be empty.
int32_t findLargest(std::span<const float> logits);

/// weights[i] = exp((logits[i] - largest) / temperature), `largest` being that
/// of all logits, `temperature` greater than 0. Exact to 2 units in the last
/// place.
void computeWeights(std::span<const float> logits, double temperature,
                    std::span<double> weights);

/// result[i] = exp(values[i]) for values of at most 0, to 2 units in the last
/// place; 0 below -708 and for a NaN.
void exponentiate(std::span<const double> values, std::span<double> result);

/// result[i] = ln(values[i]) for normal numbers greater than 0, to 3 units in
/// the last place.
void takeLogarithms(std::span<const double> values, std::span<double> result);

/// distances[i] = (largest - logits[i]) / temperature, 0 for the largest: ln of
/// how much less probable than it.
void computeDistances(std::span<const float> logits, double temperature,
                      std::span<double> distances);

/// The smallest and the largest of values without a NaN; infinities if there is
/// none.
struct Range {
  double low = 0.0, high = 0.0;
};
Range findRange(std::span<const double> values);

/// The sum in a fixed order.
double sumWeights(std::span<const double> weights);

/// sum of weights[i] * values[i], in a fixed order; what has no weight counts
/// for nothing, whatever its value.
double sumProducts(std::span<const double> weights,
                   std::span<const double> values);

/// sum of weights[i] * (values[i] - mean)^2 and ^3, likewise.
struct CentralSums {
  double second = 0.0, third = 0.0;
};
CentralSums sumCentral(std::span<const double> weights,
                       std::span<const double> values, double mean);

/// Entropy of softmax(logits) in bits, varentropy in bits squared.
struct EntropyStats {
  double entropy = 0.0;
  double varentropy = 0.0;
};
EntropyStats computeEntropy(std::span<const float> logits);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_DISTRIBUTION_H
