//===- AttentionStats.cpp - What the last layer's scores say --------------===//

#include "runtime/Sampler/AttentionStats.h"

#include "runtime/Sampler/Distribution.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace llamart {
namespace {

/// Probabilities of all heads, [heads, length], and what each unwritten slot of
/// a head has.
struct Probabilities {
  std::vector<double> written; // [heads, length]
  std::vector<double> unwritten;

  Probabilities(const AttentionScores &scores, int64_t empty)
      : written(scores.heads * scores.length), unwritten(scores.heads) {
    for (int64_t head = 0; head < scores.heads; ++head) {
      std::span<double> row(&written[head * scores.length], scores.length);
      std::span<const float> from(scores.data + head * scores.stride,
                                  scores.length);
      computeWeights(from, 1.0, row);
      double zero = empty ? std::exp(-double(getLargest(from))) : 0.0;
      double total = sumWeights(row) + double(empty) * zero;
      for (double &weight : row)
        weight /= total;
      unwritten[head] = zero / total;
    }
  }
};

double getInformation(double p, double least) {
  return p > 0.0 ? -p * std::log2(std::max(p, least)) : 0.0;
}

} // namespace

AttentionStats computeAttention(const AttentionScores &scores, int64_t slots) {
  int64_t heads = scores.heads, length = scores.length;
  int64_t empty = std::max<int64_t>(0, slots - length);
  double least = slots ? 1e-10 : 0.0;
  Probabilities p(scores, empty);
  auto cells = double(heads * (length + empty));

  std::vector<double> entropies(heads);
  double magnitude = 0.0;
  for (int64_t head = 0; head < heads; ++head) {
    for (int64_t key = 0; key < length; ++key) {
      entropies[head] += getInformation(p.written[head * length + key], least);
      magnitude += std::abs(double(scores.data[head * scores.stride + key]));
    }
    entropies[head] += double(empty) * getInformation(p.unwritten[head], least);
  }

  // At each key, the mean distance of the heads from their mean.
  auto getSpread = [&](const double *at, int64_t stride) {
    double mean = 0.0, spread = 0.0;
    for (int64_t head = 0; head < heads; ++head)
      mean += at[head * stride] / double(heads);
    for (int64_t head = 0; head < heads; ++head)
      spread += std::abs(at[head * stride] - mean);
    return spread;
  };
  double spread = double(empty) * getSpread(p.unwritten.data(), 1);
  for (int64_t key = 0; key < length; ++key)
    spread += getSpread(&p.written[key], length);

  AttentionStats stats;
  for (double entropy : entropies)
    stats.entropy += entropy / double(heads);
  for (double entropy : entropies)
    stats.varentropy +=
        (entropy - stats.entropy) * (entropy - stats.entropy) / double(heads);
  stats.agreement = spread / cells;
  stats.interactionStrength = magnitude / cells;
  return stats;
}

} // namespace llamart
