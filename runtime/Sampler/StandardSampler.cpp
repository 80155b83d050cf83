//===- StandardSampler.cpp - Penalties, top-k, top-p, min-p, temperature --===//
//
// The order of steps and what each of them means are llama.cpp's: every step
// sees only what the one before it left, and top-p and min-p look at
// probabilities before the temperature acts.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/StandardSampler.h"

#include "runtime/Error.h"
#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/Philox.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace llamart {
namespace {

bool hasPenalties(const SamplerOptions &options) {
  return options.penaltyWindow != 0 &&
         (options.repeatPenalty != 1.0f || options.frequencyPenalty != 0.0f ||
          options.presencePenalty != 0.0f);
}

void checkRange(const char *name, double value, double low, double high) {
  if (!(value >= low && value <= high)) // also NaN
    throw Error(ErrorKind::Argument, "sampler: ", name, " is ", value,
                ", expected ", low, " to ", high);
}

void checkOptions(const SamplerOptions &options) {
  constexpr double kLarge = 1e6;
  checkRange("repeat penalty", options.repeatPenalty, 1e-6, kLarge);
  checkRange("frequency penalty", options.frequencyPenalty, -kLarge, kLarge);
  checkRange("presence penalty", options.presencePenalty, -kLarge, kLarge);
  checkRange("penalty window", options.penaltyWindow, -1, INT32_MAX);
  checkRange("top-k", options.topK, 0, INT32_MAX);
  checkRange("top-p", options.topP, 0, 1);
  checkRange("min-p", options.minP, 0, 1);
  checkRange("temperature", options.temperature, 0, kLarge);
}

class StandardSampler : public Sampler {
public:
  explicit StandardSampler(const SamplerOptions &options) : options(options) {}

  int32_t sample(const SampleInput &input, SamplerState *,
                 SampleTrace *trace) const override {
    if (input.logits.empty())
      throw Error(ErrorKind::Argument, "sampler: there are no logits");
    thread_local std::vector<float> penalized;
    thread_local ChoiceMaker maker;
    std::span<const float> logits = input.logits;
    if (hasPenalties(options)) {
      penalized.assign(logits.begin(), logits.end());
      applyPenalties(input, options, penalized);
      logits = penalized;
    }
    if (options.temperature == 0.0f) {
      int32_t id = findLargest(logits);
      if (trace)
        fillTrace(input.logits, id, {{id}, {1.0}}, *trace);
      return id;
    }
    const Choices &choices = maker.make(logits, options);
    StepRandom random{options.seed, input.sequence, input.position};
    int32_t id = choices.getId(pickChoice(choices, random.uniform()));
    if (trace)
      fillTrace(input.logits, id, choices, *trace);
    return id;
  }

  static void fillTrace(std::span<const float> logits, int32_t id,
                        const Choices &choices, SampleTrace &trace) {
    EntropyStats stats = computeEntropy(logits);
    trace.entropy = stats.entropy;
    trace.varentropy = stats.varentropy;
    std::vector<double> weights(logits.size());
    computeWeights(logits, 1.0, weights);
    double all = sumWeights(weights); // 0 if every logit is NaN
    trace.probability = all > 0.0 ? weights[id] / all : 0.0;
    trace.state = {};

    constexpr size_t kMost = 8;
    std::vector<size_t> order(choices.weights.size());
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    auto end = order.begin() + std::min(kMost, order.size());
    std::partial_sort(order.begin(), end, order.end(), [&](size_t a, size_t b) {
      return choices.weights[a] > choices.weights[b] ||
             (choices.weights[a] == choices.weights[b] && a < b);
    });
    double total = sumWeights(choices.weights);
    trace.candidates.clear();
    for (auto at = order.begin(); at != end; ++at)
      trace.candidates.push_back(
          {choices.getId(*at), choices.weights[*at] / total});
  }

private:
  SamplerOptions options;
};

} // namespace

void applyPenalties(const SampleInput &input, const SamplerOptions &options,
                    std::vector<float> &logits) {
  std::span<const int32_t> window = input.history;
  if (options.penaltyWindow >= 0 &&
      window.size() > size_t(options.penaltyWindow))
    window = window.last(size_t(options.penaltyWindow));
  std::unordered_map<int32_t, int32_t> counts;
  for (int32_t id : window)
    if (id >= 0 && size_t(id) < logits.size())
      ++counts[id];
  for (auto [id, count] : counts) {
    float &logit = logits[id];
    if (logit <= 0.0f)
      logit *= options.repeatPenalty;
    else
      logit /= options.repeatPenalty;
    logit -= float(count) * options.frequencyPenalty + options.presencePenalty;
  }
}

void ChoiceMaker::weigh(double temperature) {
  choices.weights.resize(left.size());
  computeWeights(left, temperature, choices.weights);
}

/// `indices` ascend, so that moving to the front overwrites nothing needed.
void ChoiceMaker::keep(std::span<const uint32_t> indices) {
  bool everything = choices.ids.empty();
  if (everything) {
    choices.ids.resize(indices.size());
    kept.resize(indices.size());
  }
  for (size_t i = 0; i < indices.size(); ++i) {
    uint32_t index = indices[i];
    kept[i] = left[index];
    choices.ids[i] = everything ? int32_t(index) : choices.ids[index];
  }
  choices.ids.resize(indices.size());
  kept.resize(indices.size());
  left = kept;
}

const Choices &ChoiceMaker::make(std::span<const float> logits,
                                 const SamplerOptions &options) {
  left = logits;
  choices.ids.clear();
  if (options.topK > 0 && size_t(options.topK) < left.size())
    keep(selector.findTopCount(left, size_t(options.topK)));
  if (options.topP < 1.0f) {
    weigh(1.0);
    double mass = double(options.topP) * sumWeights(choices.weights);
    keep(selector.findTopMass(left, choices.weights, mass));
  }
  if (options.minP > 0.0f) {
    weigh(1.0);
    large.clear();
    for (size_t i = 0; i < left.size(); ++i)
      if (choices.weights[i] >= double(options.minP))
        large.push_back(static_cast<uint32_t>(i));
    keep(large);
  }
  weigh(double(options.temperature));
  return choices;
}

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

std::unique_ptr<Sampler> createStandardSampler(const SamplerOptions &options) {
  checkOptions(options);
  return std::make_unique<StandardSampler>(options);
}

std::unique_ptr<Sampler> createGreedySampler() {
  SamplerOptions options;
  options.temperature = 0.0f;
  return createStandardSampler(options);
}

} // namespace llamart
