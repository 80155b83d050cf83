//===- DirichletStatistics.cpp - Statistics of log probabilities ----------===//

#include "runtime/Sampler/DirichletStatistics.h"

#include "runtime/Sampler/Distribution.h"

#include <algorithm>
#include <cmath>

namespace llamart {

Moments getMoments(std::span<const double> logs, std::vector<double> &p) {
  p.resize(logs.size());
  exponentiate(logs, p);
  double mean = sumProducts(p, logs);
  return {-mean, sumCentral(p, logs, mean).second};
}

double getDivergence(std::span<const double> p, std::span<const double> logs,
                     std::span<const double> other) {
  static thread_local std::vector<double> differences;
  differences.resize(p.size());
  for (size_t i = 0; i < p.size(); ++i)
    differences[i] = logs[i] - other[i];
  return sumProducts(p, differences);
}

void normalizeLogits(std::span<const double> values, double noiseFloor,
                     std::span<double> result) {
  double largest = findRange(values).high;
  for (size_t i = 0; i < values.size(); ++i)
    result[i] = values[i] == largest ? 0.0 : values[i] - largest;
  static thread_local std::vector<double> weights;
  weights.resize(values.size());
  exponentiate(result, weights);
  double shift = std::log(sumWeights(weights)) + kDirichletEpsilon;
  for (double &value : result) {
    value -= shift;
    value = value >= noiseFloor ? value : kFloorValue; // also NaN
  }
}

double tuneTemperature(std::span<const double> values, double entropy,
                       double lastCount) {
  double largest = findRange(values).high;
  static thread_local std::vector<double> scaled, p;
  scaled.resize(values.size());
  p.resize(values.size());
  double temperature = 1.0;
  for (int i = 0; i < 10; ++i) {
    for (size_t j = 0; j < values.size(); ++j)
      scaled[j] = (values[j] - largest) / temperature;
    exponentiate(scaled, p);
    p.back() *= lastCount;
    double total = sumWeights(p), mean = sumProducts(p, scaled) / total;
    CentralSums sums = sumCentral(p, scaled, mean);
    double second = sums.second / total, third = sums.third / total;
    double error = std::log(total) - mean - entropy;
    if (std::abs(error) < 1e-6)
      break;
    double first = second / temperature;
    double bend = -(2 * third + 3 * second) / (temperature * temperature);
    double denominator = 2 * first * first - error * bend;
    double step = denominator != 0.0 ? 2 * error * first / denominator
                  : first != 0.0     ? error / first
                                     : std::copysign(0.1 * temperature, error);
    if (!std::isfinite(step))
      step = std::copysign(0.1 * temperature, error);
    step = std::clamp(step, -temperature / 2, temperature / 2);
    temperature = std::max(temperature - step, temperature / 2);
  }
  return temperature;
}

} // namespace llamart
