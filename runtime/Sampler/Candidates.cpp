//===- Candidates.cpp - Tokens that may be drawn --------------------------===//

#include "runtime/Sampler/Candidates.h"

#include "runtime/Sampler/Distribution.h"

#include <algorithm>
#include <numeric>

namespace llamart {

size_t Candidates::draw(double uniform) const {
  double target = uniform * sumWeights(weights);
  double sum = 0.0;
  size_t last = 0; // that can be drawn at all
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0.0)
      continue;
    last = i;
    sum += weights[i];
    if (sum > target)
      return i;
  }
  return last; // rounding: the sums are taken in different orders
}

Candidates Candidates::findBest(size_t count) const {
  std::vector<size_t> order(weights.size());
  std::iota(order.begin(), order.end(), size_t(0));
  auto end = order.begin() + std::min(count, order.size());
  std::partial_sort(order.begin(), end, order.end(), [&](size_t a, size_t b) {
    return weights[a] > weights[b] || (weights[a] == weights[b] && a < b);
  });
  double total = sumWeights(weights);
  Candidates best;
  for (auto at = order.begin(); at != end && weights[*at] > 0.0; ++at) {
    best.ids.push_back(getId(*at));
    best.weights.push_back(weights[*at] / total);
  }
  return best;
}

Candidates weighAll(std::span<const float> logits) {
  Candidates all;
  all.weights.resize(logits.size());
  computeWeights(logits, 1.0, all.weights);
  return all;
}

} // namespace llamart
