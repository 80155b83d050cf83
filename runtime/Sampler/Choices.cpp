//===- Choices.cpp - What is left to draw from ----------------------------===//

#include "runtime/Sampler/Choices.h"

#include "runtime/Sampler/Distribution.h"

#include <algorithm>
#include <numeric>

namespace llamart {

size_t pickChoice(const Choices &choices, double uniform) {
  double target = uniform * sumWeights(choices.weights);
  double sum = 0.0;
  size_t last = 0; // that can be drawn at all
  for (size_t i = 0; i < choices.weights.size(); ++i) {
    if (choices.weights[i] <= 0.0)
      continue;
    last = i;
    sum += choices.weights[i];
    if (sum > target)
      return i;
  }
  return last; // rounding: the sums are taken in different orders
}

void fillTrace(std::span<const float> logits, int32_t id,
               const Choices &choices, SampleTrace &trace) {
  EntropyStats stats = computeEntropy(logits);
  trace.entropy = stats.entropy;
  trace.varentropy = stats.varentropy;
  std::vector<double> weights(logits.size());
  computeWeights(logits, 1.0, weights);
  double all = sumWeights(weights); // 0 if every logit is NaN
  trace.probability = all > 0.0 ? weights[id] / all : 0.0;

  std::vector<size_t> order(choices.weights.size());
  std::iota(order.begin(), order.end(), size_t(0));
  auto end = order.begin() + std::min(trace.candidateLimit, order.size());
  std::partial_sort(order.begin(), end, order.end(), [&](size_t a, size_t b) {
    return choices.weights[a] > choices.weights[b] ||
           (choices.weights[a] == choices.weights[b] && a < b);
  });
  double total = sumWeights(choices.weights);
  trace.candidates.clear();
  for (auto at = order.begin(); at != end; ++at)
    if (choices.weights[*at] > 0.0)
      trace.candidates.push_back(
          {choices.getId(*at), choices.weights[*at] / total});
}

} // namespace llamart
