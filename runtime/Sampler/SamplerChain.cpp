//===- SamplerChain.cpp - The steps of the standard chain -----------------===//
//
// The order of steps and what each of them means are llama.cpp's: every step
// sees only what the one before it left, and with the temperature last all
// others look at probabilities before it acts. Logits stay what they are; the
// temperature is a number kept apart from them.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/Penalties.h"
#include "runtime/Sampler/StandardSampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace llamart {
namespace {

/// Entropy in nats of weights whose sum is `total`.
double getNats(std::span<const double> weights, double total) {
  double sum = 0.0;
  for (double weight : weights)
    if (weight > 0.0)
      sum -= weight * std::log(weight / total);
  return sum / total;
}

} // namespace

//===----------------------------------------------------------------------===//
// What is left
//===----------------------------------------------------------------------===//

void SamplerChain::weigh() {
  candidates.weights.resize(left.size());
  computeWeights(left, scale, candidates.weights);
}

/// Before logits are changed: they may still be the input's.
void SamplerChain::own() {
  if (left.data() == kept.data() && !kept.empty())
    return;
  kept.assign(left.begin(), left.end());
  left = kept;
}

/// The logit of a token, null if it is not left. After own().
float *SamplerChain::find(int32_t id) {
  if (candidates.ids.empty())
    return id >= 0 && size_t(id) < kept.size() ? &kept[id] : nullptr;
  auto at = std::ranges::lower_bound(candidates.ids, id);
  return at != candidates.ids.end() && *at == id
             ? &kept[at - candidates.ids.begin()]
             : nullptr;
}

/// `indices` ascend, so that moving to the front overwrites nothing needed.
void SamplerChain::keep(std::span<const uint32_t> indices) {
  bool everything = candidates.ids.empty();
  if (everything)
    candidates.ids.resize(indices.size());
  if (left.data() != kept.data())
    kept.resize(indices.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    uint32_t index = indices[i];
    kept[i] = left[index];
    candidates.ids[i] = everything ? int32_t(index) : candidates.ids[index];
  }
  candidates.ids.resize(indices.size());
  kept.resize(indices.size());
  left = kept;
}

template <typename Keeps>
void SamplerChain::keepIf(Keeps keeps) {
  some.resize(left.size() + 1);
  size_t count = 0; // without branches, which could not be predicted
  for (size_t i = 0; i < left.size(); ++i) {
    some[count] = static_cast<uint32_t>(i);
    count += keeps(i);
  }
  some.resize(count);
  if (!some.empty()) // nothing is, if no logit is a number
    keep(some);
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

void SamplerChain::begin(const SampleInput &input,
                         const SamplerOptions &options) {
  left = input.logits;
  scale = 1.0;
  candidates.ids.clear();
  if (options.logitBias.empty())
    return;
  own();
  for (const LogitBias &bias : options.logitBias)
    if (float *logit = find(bias.id))
      *logit += bias.bias;
}

void SamplerChain::applyPenalties(const SampleInput &input,
                                  const SamplerOptions &options) {
  own();
  for (auto [id, count] : countRecent(input.history, options))
    if (float *logit = find(id))
      *logit = scale == 1.0
                   ? penalize(*logit, count, options)
                   : float(scale * penalize(*logit / scale, count, options));
}

void SamplerChain::applyDry(const SampleInput &input,
                            const SamplerOptions &options) {
  own();
  for (auto [id, length] : findRepetitions(input.history, options))
    if (float *logit = find(id))
      *logit = float(*logit - scale * getDryPenalty(length, options));
}

/// Logits at most so many standard deviations below the largest. Minus infinity
/// and NaN count for nothing.
void SamplerChain::keepNearBest(double deviations) {
  double sum = 0.0, squares = 0.0;
  size_t count = 0;
  float best = getLargest(left);
  if (!std::isfinite(best))
    return;
  for (float logit : left)
    if (std::isfinite(logit)) {
      double distance = double(logit) - double(best);
      sum += distance;
      squares += distance * distance;
      ++count;
    }
  double mean = sum / double(count);
  double variance = std::max(0.0, squares / double(count) - mean * mean);
  double limit = -deviations * std::sqrt(variance);
  keepIf([&](size_t i) { return double(left[i]) - double(best) >= limit; });
}

/// Tokens in the order of their score, what is not the same to the last bit
/// apart; equal ones by logit, then by id.
bool SamplerChain::isMoreTypical(uint32_t a, uint32_t b) const {
  if (scores[a] != scores[b])
    return scores[a] < scores[b];
  return left[a] != left[b] ? left[a] > left[b] : a < b;
}

/// Of `some`, in any order, the first in order that together have more than
/// `weight`, or all. They are put in order only as far as it takes: halves are
/// compared, and one of them goes on being halved.
void SamplerChain::cutTypical(double weight) {
  auto before = [this](uint32_t a, uint32_t b) { return isMoreTypical(a, b); };
  auto first = some.begin(), last = some.end(); // the end is in here
  double sum = 0.0;                             // of what comes before `first`
  while (last - first > 1) {
    auto middle = first + (last - first) / 2;
    std::nth_element(first, middle, last, before);
    double half = 0.0;
    for (auto at = first; at != middle; ++at)
      half += candidates.weights[*at];
    if (sum + half > weight) {
      last = middle;
    } else {
      sum += half;
      first = middle;
    }
  }
  some.erase(last, some.end());
}

/// Scores are counted in buckets, and only the bucket where the mass ends is
/// looked at closely.
void SamplerChain::keepTypical(double mass) {
  weigh();
  double total = sumWeights(candidates.weights);
  // -ln p = distance + ln total: its distance to the entropy, its mean, is that
  // of the distance to the mean distance.
  scores.resize(left.size());
  computeDistances(left, scale, scores);
  double mean = sumProducts(candidates.weights, scores) / total;

  constexpr double kPerUnit = 64.0; // buckets, of nats
  constexpr uint16_t kKept = 0, kFirst = 1, kLast = 4095, kNone = 4096;
  std::array<double, kNone> weights = {};
  buckets.resize(left.size());
  for (size_t i = 0; i < left.size(); ++i) {
    scores[i] = std::abs(scores[i] - mean);
    double at = std::min(kFirst + scores[i] * kPerUnit, double(kLast));
    bool counts = candidates.weights[i] > 0.0;
    buckets[i] = counts ? static_cast<uint16_t>(at) : kNone;
    weights[counts ? buckets[i] : kLast] += candidates.weights[i];
  }
  uint16_t cut = kFirst;
  double before = 0.0; // weight of the buckets before the one of the cut
  while (cut < kLast && before + weights[cut] <= mass * total)
    before += weights[cut++];

  some.clear();
  for (size_t i = 0; i < left.size(); ++i)
    if (buckets[i] == cut)
      some.push_back(static_cast<uint32_t>(i));
  cutTypical(mass * total - before);
  for (uint32_t i : some)
    buckets[i] = kKept;
  keepIf([&](size_t i) { return buckets[i] < cut; });
}

void SamplerChain::keepTopMass(double mass) {
  weigh();
  keep(selector.findTopMass(left, candidates.weights,
                            mass * sumWeights(candidates.weights)));
}

void SamplerChain::keepProbable(double share) {
  weigh();
  keepIf([&](size_t i) { return candidates.weights[i] >= share; });
}

/// Of the tokens that reach the threshold only the last stays, the highest id
/// among equals.
void SamplerChain::dropTopChoices(double threshold) {
  if (left.size() < 2)
    return;
  weigh();
  double limit = threshold * sumWeights(candidates.weights);
  size_t count = 0, least = 0;
  for (size_t i = 0; i < left.size(); ++i)
    if (candidates.weights[i] >= limit)
      if (count++ == 0 || left[i] <= left[least])
        least = i;
  if (count >= 2)
    keepIf(
        [&](size_t i) { return candidates.weights[i] < limit || i == least; });
}

void SamplerChain::applyTemperature(const SamplerOptions &options) {
  double temperature = options.temperature;
  if (options.dynatempRange > 0.0f && left.size() > 1) {
    weigh();
    double entropy =
        getNats(candidates.weights, sumWeights(candidates.weights));
    double most = std::log(double(left.size()));
    double low = std::max(0.0, temperature - double(options.dynatempRange));
    double high = temperature + double(options.dynatempRange);
    temperature =
        low + (high - low) * std::pow(entropy / most, options.dynatempExponent);
  } else if (options.dynatempRange > 0.0f) {
    return;
  }
  constexpr double kLeast = 1e-6; // less is greedy
  if (temperature < kLeast) {
    uint32_t best = static_cast<uint32_t>(findLargest(left));
    keep({&best, 1});
  } else {
    scale *= temperature;
  }
}

void SamplerChain::apply(ChainStep step, const SampleInput &input,
                         const SamplerOptions &options, double coin) {
  switch (step) {
  case ChainStep::Penalties:
    if (hasPenalties(options))
      applyPenalties(input, options);
    break;
  case ChainStep::Dry:
    if (hasDry(options))
      applyDry(input, options);
    break;
  case ChainStep::TopNSigma:
    if (options.topNSigma > 0.0f)
      keepNearBest(options.topNSigma);
    break;
  case ChainStep::TopK:
    if (options.topK > 0 && size_t(options.topK) < left.size())
      keep(selector.findTopCount(left, size_t(options.topK)));
    break;
  case ChainStep::Typical:
    if (options.typicalP < 1.0f)
      keepTypical(options.typicalP);
    break;
  case ChainStep::TopP:
    if (options.topP < 1.0f)
      keepTopMass(options.topP);
    break;
  case ChainStep::MinP:
    if (options.minP > 0.0f)
      keepProbable(options.minP);
    break;
  case ChainStep::Xtc:
    if (options.xtcThreshold <= 0.5f && coin < double(options.xtcProbability))
      dropTopChoices(options.xtcThreshold);
    break;
  case ChainStep::Temperature:
    applyTemperature(options);
    break;
  }
}

const Candidates &SamplerChain::run(const SampleInput &input,
                                    const SamplerOptions &options,
                                    double coin) {
  begin(input, options);
  for (ChainStep step : options.steps)
    apply(step, input, options, coin);
  weigh();
  return candidates;
}

//===----------------------------------------------------------------------===//
// Mirostat
//===----------------------------------------------------------------------===//

/// How many tokens have the wanted surprise, were the weights, `scores`, a Zipf
/// distribution (Basu et al., "Mirostat", ICLR 2021).
double SamplerChain::estimateMirostatCount(double surprise) const {
  constexpr size_t kSamples = 100;
  std::vector<double> best(std::min(kSamples, scores.size()));
  std::partial_sort_copy(scores.begin(), scores.end(), best.begin(), best.end(),
                         std::greater<>());
  double products = 0.0, squares = 0.0;
  for (size_t i = 0; i + 1 < best.size() && best[i + 1] > 0.0; ++i) {
    double t = std::log(double(i + 2) / double(i + 1));
    products += t * std::log(best[i] / best[i + 1]);
    squares += t * t;
  }
  double slope = squares > 0.0 ? products / squares : 0.0;
  double epsilon = slope - 1.0;
  double count = std::pow(epsilon * std::exp2(surprise) /
                              (1.0 - std::pow(double(scores.size()), -epsilon)),
                          1.0 / slope);
  return count >= 1.0 ? count : 1.0; // also if it is NaN
}

const Candidates &SamplerChain::runMirostat(const SampleInput &input,
                                            const SamplerOptions &options,
                                            double surprise) {
  begin(input, options);
  applyTemperature(options);
  weigh();
  if (options.mirostat == 1) {
    scores = candidates.weights;
    double count = estimateMirostatCount(surprise);
    if (count < double(left.size()))
      keep(selector.findTopCount(left, size_t(count)));
  } else {
    double limit = sumWeights(candidates.weights) * std::exp2(-surprise);
    uint32_t best = static_cast<uint32_t>(findLargest(left));
    keepIf(
        [&](size_t i) { return candidates.weights[i] >= limit || i == best; });
  }
  weigh();
  return candidates;
}

} // namespace llamart
