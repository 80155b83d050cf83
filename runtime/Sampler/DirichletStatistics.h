//===- DirichletStatistics.h - Statistics of log probabilities --*- C++ -*-===//
//
// What entropix V5 measures of a row of logits. In nats.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_DIRICHLETSTATISTICS_H
#define LLAMA_RUNTIME_SAMPLER_DIRICHLETSTATISTICS_H

#include <cmath>
#include <span>
#include <vector>

namespace llamart {

inline constexpr double kDirichletEpsilon = 1e-8;
/// The log probability of what is below the noise floor.
inline const double kFloorValue = std::log(kDirichletEpsilon);

/// Log probabilities; those below the noise floor have ln 1e-8.
void normalizeLogits(std::span<const double> values, double noiseFloor,
                     std::span<double> result);

/// The temperature at which softmax(values / T) has that entropy: ten steps of
/// Halley's method from 1, each at most halving or adding a half.
/// The last value counts for `lastCount` equal ones.
double tuneTemperature(std::span<const double> values, double entropy,
                       double lastCount = 1.0);

struct Moments {
  double ent = 0.0, var = 0.0; ///< nats, nats squared
};

/// Of log probabilities that need not sum to 1; `p` gets their exponentials.
Moments getMoments(std::span<const double> logs, std::vector<double> &p);

/// sum of p (ln p - other), `logs` being ln p.
double getDivergence(std::span<const double> p, std::span<const double> logs,
                     std::span<const double> other);

/// A moving mean; exactly `old` where both are the same.
inline double mix(double part, double now, double old) {
  return now == old ? old : old + part * (now - old);
}

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_DIRICHLETSTATISTICS_H
