//===- Prediction.cpp - A row of logits as probabilities ------------------===//

#include "runtime/tools/measure/Prediction.h"

#include "runtime/Sampler/Distribution.h"

#include <algorithm>
#include <cmath>

namespace llamart::tools {

void Prediction::set(std::span<const float> row) {
  logits = row;
  best = findLargest(row);
  largest = row[best];
  weights.resize(row.size());
  computeWeights(row, 1.0, weights);
  total = sumWeights(weights);
}

bool Prediction::isValid() const {
  return std::isfinite(largest) &&
         std::ranges::none_of(logits, [](float x) { return std::isnan(x); });
}

double Prediction::getSurprise(int32_t id) const {
  return std::log(total) - (double(logits[id]) - largest);
}

double Prediction::getDivergence(const Prediction &other) const {
  double sum = 0.0;
  // ln p - ln q = logit - other's + shift, exactly 0 where both are the same.
  double shift =
      (std::log(other.total) - std::log(total)) + (other.largest - largest);
  for (size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0.0)
      sum += weights[i] * (double(logits[i]) - double(other.logits[i]) + shift);
  return std::max(0.0, sum / total); // rounding
}

} // namespace llamart::tools
