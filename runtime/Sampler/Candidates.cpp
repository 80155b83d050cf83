//===- Candidates.cpp - What is left to draw from -------------------------===//

#include "runtime/Sampler/Candidates.h"

#include "runtime/Sampler/Distribution.h"

#include <algorithm>
#include <numeric>

namespace llamart {

size_t pickChoice(const Candidates &candidates, double uniform) {
  double target = uniform * sumWeights(candidates.weights);
  double sum = 0.0;
  size_t last = 0; // that can be drawn at all
  for (size_t i = 0; i < candidates.weights.size(); ++i) {
    if (candidates.weights[i] <= 0.0)
      continue;
    last = i;
    sum += candidates.weights[i];
    if (sum > target)
      return i;
  }
  return last; // rounding: the sums are taken in different orders
}

void fillTrace(std::span<const float> logits, int32_t id,
               const Candidates &candidates, SampleTrace &trace) {
  EntropyStats stats = computeEntropy(logits);
  trace.entropy = stats.entropy;
  trace.varentropy = stats.varentropy;
  std::vector<double> weights(logits.size());
  computeWeights(logits, 1.0, weights);
  double all = sumWeights(weights); // 0 if every logit is NaN
  trace.probability = all > 0.0 ? weights[id] / all : 0.0;

  std::vector<size_t> order(candidates.weights.size());
  std::iota(order.begin(), order.end(), size_t(0));
  auto end = order.begin() + std::min(trace.candidateLimit, order.size());
  std::partial_sort(order.begin(), end, order.end(), [&](size_t a, size_t b) {
    return candidates.weights[a] > candidates.weights[b] ||
           (candidates.weights[a] == candidates.weights[b] && a < b);
  });
  double total = sumWeights(candidates.weights);
  trace.candidates.clear();
  for (auto at = order.begin(); at != end; ++at)
    if (candidates.weights[*at] > 0.0)
      trace.candidates.push_back(
          {candidates.getId(*at), candidates.weights[*at] / total});
}

} // namespace llamart
