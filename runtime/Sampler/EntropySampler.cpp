//===- EntropySampler.cpp - Chooses by how sure the model is --------------===//

#include "runtime/Sampler/EntropySampler.h"

#include "runtime/Error.h"
#include "runtime/Sampler/AttentionStats.h"
#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/Philox.h"

#include <algorithm>
#include <cmath>

namespace llamart {
namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

EntropyState findClassicState(const EntropyMetrics &m,
                              const EntropyOptions &o) {
  double helv = o.compat ? o.highEntropy : o.mediumEntropy;
  double hehv = o.compat ? o.mediumEntropy : o.highEntropy;
  if (m.entropy < o.lowEntropy && m.varentropy < o.lowVarentropy)
    return EntropyState::LELV;
  if (m.entropy > helv && m.varentropy < o.lowVarentropy)
    return EntropyState::HELV;
  if (m.entropy < o.highEntropy && m.varentropy > o.highVarentropy)
    return EntropyState::LEHV;
  if (m.entropy > hehv && m.varentropy > o.highVarentropy)
    return EntropyState::HEHV;
  return EntropyState::Adaptive;
}

/// Of the text and of attention; the engine (V4) asks of attention only how
/// sure it is, the frog branch (V3) also how far heads agree and how strong the
/// scores are.
EntropyState findAttentionState(const EntropyMetrics &m,
                                const EntropyOptions &o) {
  const AttentionStats &a = m.attention;
  bool off = !o.attention;
  bool lowEntropy = off || a.entropy < o.lowAttentionEntropy;
  bool highEntropy = off || a.entropy > o.highAttentionEntropy;
  bool lowVarentropy = off || a.varentropy < o.lowAttentionVarentropy;
  bool highVarentropy = off || a.varentropy > o.highAttentionVarentropy;
  bool anyHeads = off || o.version == EntropixVersion::V4;
  bool lowAgreement = anyHeads || a.agreement < o.lowAgreement;
  bool highAgreement = anyHeads || a.agreement > o.highAgreement;
  double strength = a.interactionStrength;
  bool allLow = lowEntropy && lowVarentropy && lowAgreement &&
                (anyHeads || strength < o.lowInteraction);
  if (m.entropy < o.lowEntropy && m.varentropy < o.lowVarentropy && allLow)
    return EntropyState::LELV;
  if (m.entropy > o.highEntropy && m.varentropy < o.lowVarentropy && allLow)
    return EntropyState::HELV;
  if (m.entropy < o.highEntropy && m.varentropy > o.highVarentropy &&
      lowEntropy && highVarentropy && lowAgreement &&
      (anyHeads || strength > o.lowInteraction))
    return EntropyState::LEHV;
  if (m.entropy > o.mediumEntropy && m.varentropy > o.highVarentropy &&
      highEntropy && highVarentropy && highAgreement &&
      (anyHeads || strength > o.highInteraction))
    return EntropyState::HEHV;
  return EntropyState::Adaptive;
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

DrawOptions getAdaptiveOptions(const EntropyMetrics &m,
                               const EntropyOptions &o) {
  const AttentionStats &a = m.attention;
  DrawOptions draw = {o.temperature, o.topP, o.minP, o.topK};
  bool classic = o.version == EntropixVersion::V2;
  double spread = classic ? m.entropy + m.varentropy : m.varentropy;
  draw.minP = std::clamp(o.minP * (1 - o.adaptiveMinP * spread), 0.01, 0.5);
  if (o.version == EntropixVersion::V4) {
    double nats = m.entropy * kLn2;
    double factor =
        std::sqrt((o.targetAlpha * nats + o.targetBeta) / (nats + 1e-6));
    draw.temperature = std::clamp(o.temperature * factor, 0.1, 2.0);
    return draw;
  }
  double doubt = classic ? m.entropy + m.varentropy : m.entropy;
  double attention = classic ? a.entropy + a.varentropy : a.entropy;
  draw.temperature *= 1 + o.adaptiveEntropy * doubt +
                      o.adaptiveAttention * attention -
                      o.adaptiveAgreement * a.agreement;
  draw.topP =
      std::clamp(o.topP * (1 + o.adaptiveTopP * a.varentropy), 0.1, 1.0);
  double count =
      o.topK * (1 + o.adaptiveTopKInteraction * a.interactionStrength -
                o.adaptiveTopKAgreement * a.agreement);
  draw.topK = static_cast<int32_t>(std::clamp(std::nearbyint(count), 1., 100.));
  return draw;
}

} // namespace

const char *getName(EntropyState state) {
  switch (state) {
  case EntropyState::LELV:
    return "LELV";
  case EntropyState::HELV:
    return "HELV";
  case EntropyState::LEHV:
    return "LEHV";
  case EntropyState::HEHV:
    return "HEHV";
  case EntropyState::Adaptive:
    return "adaptive";
  }
  return "";
}

EntropyState findState(const EntropyMetrics &metrics,
                       const EntropyOptions &options) {
  switch (options.version) {
  case EntropixVersion::V2:
    return findClassicState(metrics, options);
  case EntropixVersion::V3:
  case EntropixVersion::V4:
    return findAttentionState(metrics, options);
  }
  return EntropyState::Adaptive;
}

DrawOptions getDrawOptions(EntropyState state, const EntropyMetrics &m,
                           const EntropyOptions &o) {
  const AttentionStats &a = m.attention;
  bool engine = o.version == EntropixVersion::V4;
  DrawOptions draw = {o.temperature, o.topP, o.minP, o.topK};
  switch (state) {
  case EntropyState::HELV:
    if (engine)
      return getAdaptiveOptions(m, o);
    draw.temperature = std::min(
        1.5, o.temperature * (o.helvOffset + o.helvCoefficient * a.entropy));
    break;
  case EntropyState::LEHV:
    if (engine)
      break;
    draw.temperature = std::min(
        1.5, o.temperature *
                 (o.lehvOffset + o.lehvCoefficient * a.interactionStrength));
    draw.topK =
        std::max(5, int32_t(o.topK * (1 + o.lehvTopK * (1 - a.agreement))));
    break;
  case EntropyState::HEHV: {
    double hot =
        o.temperature * (o.hehvOffset + o.hehvCoefficient * a.varentropy);
    draw.temperature = engine ? std::min(2.0, hot) : std::max(2.0, hot);
    draw.topP = std::max(0.5, o.topP - o.hehvTopP * a.entropy);
    break;
  }
  case EntropyState::LELV:
  case EntropyState::Adaptive:
    return getAdaptiveOptions(m, o);
  }
  return draw;
}

//===----------------------------------------------------------------------===//
// Draws
//===----------------------------------------------------------------------===//

/// Of logits equal to the smallest that is kept, the last ones: what a stable
/// sort in ascending order leaves at its end.
void EntropyChain::takeLast(std::span<const float> logits, size_t count) {
  float cut = logits[order.front()];
  for (uint32_t index : order)
    cut = std::min(cut, logits[index]);
  std::erase_if(order, [&](uint32_t index) { return logits[index] <= cut; });
  for (size_t i = logits.size(); i-- > 0 && order.size() < count;)
    if (logits[i] == cut)
      order.push_back(static_cast<uint32_t>(i));
}

const Candidates &EntropyChain::run(std::span<const float> logits,
                                    const DrawOptions &draw,
                                    const EntropyOptions &options) {
  weights.resize(logits.size());
  computeWeights(logits, draw.temperature, weights);
  double limit = options.compat ? 0.0 : draw.minP;
  double total = sumWeights(weights);
  if (limit > 0.0) {
    total = 0.0;
    for (double weight : weights)
      total += weight >= limit ? weight : 0.0;
  }
  size_t count = std::min<size_t>(draw.topK, logits.size());
  auto largest = selector.findTopCount(logits, count);
  order.assign(largest.begin(), largest.end());
  bool highFirst = options.compat && options.version == EntropixVersion::V4;
  if (highFirst)
    takeLast(logits, count);
  std::erase_if(order, [&](uint32_t i) { return weights[i] < limit; });
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    if (logits[a] != logits[b])
      return logits[a] > logits[b];
    return highFirst ? a > b : a < b;
  });
  if (options.compat)
    std::ranges::reverse(order);
  double before = 0.0;
  std::erase_if(order, [&](uint32_t i) {
    bool goes = before > draw.topP * total;
    before += weights[i];
    return goes;
  });
  std::ranges::sort(order);
  candidates.ids.assign(order.begin(), order.end());
  candidates.weights.clear();
  for (uint32_t i : order)
    candidates.weights.push_back(weights[i]);
  return candidates;
}

namespace {

class EntropySampler : public Sampler {
public:
  explicit EntropySampler(const EntropyOptions &options) : o(options) {}

  bool needsAttention() const override { return o.attention; }

  int32_t sample(const SampleInput &input, SamplerState *,
                 SampleTrace *trace) const override {
    if (input.logits.empty())
      throw Error(ErrorKind::Argument, "sampler: there are no logits");
    EntropyMetrics metrics = measure(input);
    EntropyState state = findState(metrics, o);
    thread_local EntropyChain chain;
    DrawOptions draw = getDrawOptions(state, metrics, o);
    int32_t id = 0;
    Candidates only;
    const Candidates *candidates = &only;
    if (state == EntropyState::LELV) {
      id = findLargest(input.logits);
    } else if (state == EntropyState::HELV && clarifies(input)) {
      id = o.clarifyToken;
    } else {
      candidates = &chain.run(input.logits, draw, o);
      id = drawBest(*candidates, input, isAdaptive(state) ? o.samples : 1);
    }
    if (trace) {
      if (candidates == &only)
        only = {{id}, {1.0}};
      trace->fill(input.logits, id, *candidates);
      trace->state = getName(state);
      if (o.attention)
        trace->attention = metrics.attention;
    }
    return id;
  }

private:
  EntropyMetrics measure(const SampleInput &input) const {
    EntropyMetrics metrics;
    EntropyStats stats = computeEntropy(input.logits);
    metrics.entropy = stats.entropy;
    metrics.varentropy = stats.varentropy;
    if (!o.attention)
      return metrics;
    if (!input.attention.data)
      throw Error(
          ErrorKind::Argument,
          "sampler: it needs attention scores, but the last eval was not "
          "asked for them; attention = 0 does without");
    metrics.attention =
        computeAttention(input.attention, o.compat ? o.attentionSlots : 0);
    return metrics;
  }

  bool isAdaptive(EntropyState state) const {
    return state == EntropyState::Adaptive ||
           (state == EntropyState::HELV && o.version == EntropixVersion::V4);
  }

  /// Not twice in a row, but in V4's compat mode.
  bool clarifies(const SampleInput &input) const {
    if (o.clarifyToken < 0 || size_t(o.clarifyToken) >= input.logits.size())
      return false;
    bool always = o.compat && o.version == EntropixVersion::V4;
    return always || input.history.empty() ||
           input.history.back() != o.clarifyToken;
  }

  /// The most probable of several draws. What entropix adds to its logarithm is
  /// the same for all of them.
  int32_t drawBest(const Candidates &candidates, const SampleInput &input,
                   int32_t count) const {
    StepRandom random{o.seed, input.sequence, input.position};
    int32_t best = -1;
    for (int32_t i = 0; i < count; ++i) {
      int32_t id = candidates.getId(candidates.draw(random.uniform(i)));
      if (best < 0 || input.logits[id] > input.logits[best])
        best = id;
    }
    return best;
  }

  EntropyOptions o;
};

} // namespace

std::unique_ptr<Sampler> createEntropySampler(const EntropyOptions &options) {
  checkFields(getEntropyFields(options.version), options);
  return std::make_unique<EntropySampler>(options);
}

} // namespace llamart
