//===- DirichletSampler.cpp - entropix V5, the Dirichlet slider -----------===//
//
// The numbers of steps in comments are those of the published description: 1
// the step's entropy, 2-3 the outlier score, 4-6 inliers, 7 the temperature, 8
// the Dirichlet, 9 its likelihood, 10-11 the mixture, 12 the picture.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/DirichletSampler.h"

#include "runtime/Error.h"
#include "runtime/Sampler/Candidates.h"
#include "runtime/Sampler/DirichletFit.h"
#include "runtime/Sampler/DirichletStatistics.h"
#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/GammaDraws.h"
#include "runtime/Sampler/GammaFunctions.h"
#include "runtime/Sampler/Philox.h"
#include "runtime/Sampler/StateBytes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace llamart {

std::unique_ptr<SamplerState> DirichletState::clone() const {
  return std::make_unique<DirichletState>(*this);
}

static constexpr std::string_view kTag = "dirichlet";

/// Its fields in the order of their bytes.
template <typename State, typename Archive>
static void visit(State &s, Archive &to) {
  to(s.started)(s.logp)(s.alpha)(s.alphaU)(s.normalizer)(s.temp);
  to(s.entScaffold)(s.entNaked)(s.varScaffold)(s.varNaked);
  to(s.crossScaffold)(s.crossNaked)(s.crossVarScaffold)(s.crossVarNaked);
  to(s.dirichletEnt)(s.topKEnt)(s.rows)(s.topKCount);
  to(s.sumEnt)(s.sumVar)(s.sumTopKEnt)(s.sumTop)(s.sumTopSquares);
}

std::string DirichletState::save() const {
  StateWriter to(kTag);
  visit(*this, to);
  return to.take();
}

std::unique_ptr<DirichletState> DirichletState::load(std::string_view saved) {
  auto state = std::make_unique<DirichletState>();
  StateReader from(saved, kTag);
  visit(*state, from);
  from.finish();
  return state;
}

namespace {

using Vector = std::vector<double>;
using View = std::span<const double>;

//===----------------------------------------------------------------------===//
// One step
//===----------------------------------------------------------------------===//

/// What a step computes on its way; kept for its memory.
struct Scratch {
  Vector logits, y, p, ys, q, logQ, mixture, best, above;
  std::vector<int32_t> bestIds;
};

class DirichletSampler : public Sampler {
public:
  explicit DirichletSampler(const DirichletOptions &options) : o(options) {}

  bool needsPromptLogits() const override { return true; }
  std::unique_ptr<SamplerState> makeState() const override {
    return std::make_unique<DirichletState>();
  }
  std::unique_ptr<SamplerState>
  loadState(std::string_view saved) const override {
    return DirichletState::load(saved);
  }
  void observePrompt(std::span<const float> logits, size_t rows,
                     SamplerState *state) const override;
  int32_t sample(const SampleInput &input, SamplerState *state,
                 SampleTrace *trace) const override;

private:
  void observe(std::span<const float> logits, DirichletState &state) const;
  void start(DirichletState &state) const;
  void fit(DirichletState &state) const;

  void normalize(std::span<const float> logits, Scratch &s) const;
  void findBest(Scratch &s) const;
  bool isOutlier(const DirichletState &state, Moments now) const;
  int32_t step(DirichletState &state, Scratch &s, const StepRandom &random,
               uint32_t first, Candidates &candidates) const;
  int32_t drawInlier(const DirichletState &old, const Scratch &s, double ent,
                     const StepRandom &random, uint32_t first,
                     Candidates &candidates) const;
  void drawDirichlet(const DirichletState &state, Scratch &s,
                     const StepRandom &random, uint32_t first) const;
  double getLogLikelihood(const DirichletState &state, View logs) const;
  void updatePicture(DirichletState &state, const Scratch &s,
                     int32_t token) const;
  double tuneAll(Scratch &s, double entropy) const;
  const char *findQuadrant(Moments now) const;

  DirichletOptions o;
};

void DirichletSampler::normalize(std::span<const float> logits,
                                 Scratch &s) const {
  s.logits.assign(logits.begin(), logits.end());
  s.y.resize(logits.size());
  normalizeLogits(s.logits, o.noiseFloor, s.y);
}

/// The topK largest of y, normalized among themselves.
void DirichletSampler::findBest(Scratch &s) const {
  size_t count = std::min<size_t>(o.topK, s.y.size());
  s.bestIds.clear();
  auto before = [&](int32_t a, int32_t b) {
    return s.y[a] > s.y[b] || (s.y[a] == s.y[b] && a < b);
  };
  for (size_t i = 0; i < s.y.size(); ++i) {
    auto id = static_cast<int32_t>(i);
    if (s.bestIds.size() == count && !before(id, s.bestIds.back()))
      continue;
    s.bestIds.insert(std::ranges::upper_bound(s.bestIds, id, before), id);
    s.bestIds.resize(std::min(s.bestIds.size(), count));
  }
  Vector values;
  for (int32_t id : s.bestIds)
    values.push_back(s.y[id]);
  s.best.resize(count);
  normalizeLogits(values, o.noiseFloor, s.best);
}

//===----------------------------------------------------------------------===//
// The prompt
//===----------------------------------------------------------------------===//

void DirichletSampler::observePrompt(std::span<const float> logits, size_t rows,
                                     SamplerState *state) const {
  auto &to = *static_cast<DirichletState *>(state);
  if (to.started || rows == 0)
    return;
  size_t vocab = logits.size() / rows;
  for (size_t row = 0; row < rows; ++row)
    observe(logits.subspan(row * vocab, vocab), to);
}

void DirichletSampler::observe(std::span<const float> logits,
                               DirichletState &state) const {
  thread_local Scratch s;
  normalize(logits, s);
  findBest(s);
  Moments now = getMoments(s.y, s.p);
  state.sumEnt += now.ent;
  state.sumVar += now.var;
  state.sumTopKEnt += getMoments(s.best, s.p).ent;
  for (double logp : s.best) {
    state.sumTop += logp;
    state.sumTopSquares += logp * logp;
    ++state.topKCount;
  }
  state.logp.resize(s.y.size());
  for (size_t i = 0; i < s.y.size(); ++i)
    state.logp[i] += s.y[i];
  ++state.rows;
}

void DirichletSampler::fit(DirichletState &state) const {
  state.alpha.resize(state.logp.size());
  DirichletFit fit = fitDirichlet(state.logp, state.alphaU, state.alpha);
  state.alphaU = fit.u;
  state.normalizer = logGamma(fit.sum) - fit.logGammas;
}

void DirichletSampler::start(DirichletState &state) const {
  auto rows = double(state.rows);
  for (double &logp : state.logp)
    logp /= rows;
  state.entScaffold = state.entNaked = state.sumEnt / rows;
  state.varNaked = state.sumVar / rows;
  state.crossScaffold = state.entNaked;
  state.topKEnt = state.sumTopKEnt / rows;
  auto count = double(state.topKCount);
  double mean = state.sumTop / count;
  state.crossNaked = -mean;
  state.crossVarNaked =
      std::max(0.0, state.sumTopSquares / count - mean * mean);
  fit(state);
  // Linear in the logarithms: the mean over rows is that of the mean row.
  double likelihood = getLogLikelihood(state, state.logp);
  state.dirichletEnt = o.compat ? likelihood : -likelihood;
  state.started = true;
}

//===----------------------------------------------------------------------===//
// A step
//===----------------------------------------------------------------------===//

/// Of a sample with these logarithms; in compat mode with the published sign.
double DirichletSampler::getLogLikelihood(const DirichletState &state,
                                          View logs) const {
  double sum = sumProducts(state.alpha, logs) - sumWeights(logs);
  return o.compat ? sum - state.normalizer : sum + state.normalizer;
}

bool DirichletSampler::isOutlier(const DirichletState &state,
                                 Moments now) const {
  double ents = state.crossScaffold + state.crossNaked + state.entScaffold +
                state.entNaked;
  double stds = std::sqrt(state.crossVarScaffold) +
                std::sqrt(state.crossVarNaked) + std::sqrt(state.varScaffold) +
                std::sqrt(state.varNaked);
  double score = o.outlierBilinear * ents * stds + o.outlierEnt * ents +
                 o.outlierStd * stds + o.outlierNakedEnt * now.ent +
                 o.outlierNakedVarent * now.var + o.outlierBias;
  return score > 0.0; // not if it is NaN
}

int32_t DirichletSampler::drawInlier(const DirichletState &old,
                                     const Scratch &s, double ent,
                                     const StepRandom &random, uint32_t first,
                                     Candidates &candidates) const {
  if (ent < o.argmaxWeight * old.topKEnt + o.argmaxBias) { // 5
    candidates = {{s.bestIds.front()}, {1.0}};
    return s.bestIds.front();
  }
  double temperature = tuneTemperature(s.best, old.topKEnt); // 6
  candidates = {s.bestIds, {}};
  for (double logp : s.best)
    candidates.weights.push_back(
        std::exp((logp - s.best.front()) / temperature));
  return candidates.getId(candidates.draw(random.uniform(first)));
}

/// Draws q, and mixes it with p, the exponentials of ys.
void DirichletSampler::drawDirichlet(const DirichletState &state, Scratch &s,
                                     const StepRandom &random,
                                     uint32_t first) const {
  size_t vocab = state.alpha.size();
  s.logQ.resize(vocab);
  s.q.resize(vocab);
  if (o.wild)
    drawLogGammas(state.alpha, random, first + 1, s.logQ);
  else
    takeLogarithms(state.alpha, s.logQ);
  double largest = findRange(s.logQ).high;
  for (double &value : s.logQ)
    value -= largest;
  exponentiate(s.logQ, s.q);
  double total = sumWeights(s.q), shift = std::log(total);
  double part = 1.0 / total;
  for (size_t i = 0; i < vocab; ++i) {
    s.q[i] *= part;
    s.logQ[i] -= shift;
  }
  double kl = getDivergence(s.q, s.logQ, s.ys);
  double share = 1.0 - std::pow(o.perturbBase,
                                -o.perturbFactor / (kl + kDirichletEpsilon));
  s.mixture.resize(vocab);
  for (size_t i = 0; i < vocab; ++i)
    s.mixture[i] = share * s.q[i] + (1.0 - share) * s.p[i];
}

/// 12. `ys` and the mixture are this step's.
void DirichletSampler::updatePicture(DirichletState &state, const Scratch &s,
                                     int32_t token) const {
  static thread_local Vector raised, logs;
  raised.resize(s.mixture.size());
  logs.resize(s.mixture.size());
  for (size_t i = 0; i < raised.size(); ++i)
    raised[i] = s.mixture[i] + kDirichletEpsilon;
  takeLogarithms(raised, logs);
  double mean = sumProducts(s.mixture, logs);
  Moments scaffold = {-mean, sumCentral(s.mixture, logs, mean).second};
  state.entScaffold = mix(o.entScaffoldPart, scaffold.ent, state.entScaffold);
  state.varScaffold = mix(o.varScaffoldPart, scaffold.var, state.varScaffold);
  double logScaffold = logs[token];
  // The published program takes the logarithm of a log probability.
  double logNaked =
      o.compat ? double(std::log(float(s.y[token]) + float(kDirichletEpsilon)))
               : s.y[token];
  auto follow = [](double part, double varPart, double logp, double &cross,
                   double &var) {
    cross = part * -logp + (1 - part) * cross;
    var = varPart * (cross - logp) * (cross - logp) + (1 - varPart) * var;
  };
  follow(o.crossScaffoldPart, o.crossVarScaffoldPart, logScaffold,
         state.crossScaffold, state.crossVarScaffold);
  follow(o.crossNakedPart, o.crossVarNakedPart, logNaked, state.crossNaked,
         state.crossVarNaked);
}

/// tuneTemperature of y, most of which are the floor.
double DirichletSampler::tuneAll(Scratch &s, double entropy) const {
  s.above.clear();
  for (double value : s.y)
    if (value != kFloorValue)
      s.above.push_back(value);
  size_t floored = s.y.size() - s.above.size();
  if (floored > 0)
    s.above.push_back(kFloorValue);
  return tuneTemperature(s.above, entropy, floored > 0 ? double(floored) : 1.0);
}

/// One step from `s.logits`; moves `state` on.
int32_t DirichletSampler::step(DirichletState &state, Scratch &s,
                               const StepRandom &random, uint32_t first,
                               Candidates &candidates) const {
  normalizeLogits(s.logits, o.noiseFloor, s.y);
  Moments now = getMoments(s.y, s.p); // 1
  state.entNaked = mix(o.entNakedPart, now.ent, state.entNaked);
  state.varNaked = mix(o.varNakedPart, now.var, state.varNaked);
  bool outlier = isOutlier(state, now); // 2, 3
  findBest(s);                          // 4
  double bestEnt = getMoments(s.best, s.p).ent;
  int32_t token = -1;
  if (!outlier)
    token = drawInlier(state, s, bestEnt, random, first, candidates);
  state.topKEnt = mix(o.topKPart, bestEnt, state.topKEnt);
  if (std::isnan(state.crossNaked)) // nothing that follows can matter any more
    return token;

  double target = o.targetLinear * (state.crossScaffold + state.crossNaked +
                                    state.entScaffold + state.entNaked) +
                  o.targetInverseTemp / state.temp + o.targetBias; // 7
  double tuned = std::clamp(tuneAll(s, target), 1e-4, 1e4);
  state.temp = mix(o.tempPart, tuned, state.temp);
  s.ys.resize(s.y.size());
  for (size_t i = 0; i < s.y.size(); ++i)
    s.ys[i] = s.y[i] / tuned;
  normalizeLogits(s.ys, o.noiseFloor, s.ys);

  s.p.resize(s.ys.size()); // 8; twice normalized in the published program
  exponentiate(s.ys, s.p);
  double kl = getDivergence(s.p, s.ys, state.logp);
  double minusLikelihood = -getLogLikelihood(state, s.ys); // 9: the old fit
  double limit = o.dirichletWeight * state.dirichletEnt + o.dirichletBias;
  double part = std::pow(o.logpBase, -o.logpFactor / (kl + kDirichletEpsilon));
  for (size_t i = 0; i < s.ys.size(); ++i)
    state.logp[i] = mix(part, s.ys[i], state.logp[i]);
  fit(state);
  state.dirichletEnt =
      mix(o.dirichletPart, minusLikelihood, state.dirichletEnt);

  drawDirichlet(state, s, random, first); // 10
  if (outlier) {                          // 11
    bool likely = minusLikelihood < limit;
    candidates = {{}, likely ? s.mixture : s.q};
    token =
        likely
            ? int32_t(std::ranges::max_element(s.mixture) - s.mixture.begin())
            : candidates.getId(candidates.draw(random.uniform(first)));
  }
  updatePicture(state, s, token);
  return token;
}

const char *DirichletSampler::findQuadrant(Moments now) const {
  double lehv = o.compat ? o.highEntropy : o.mediumEntropy;
  if (now.ent < o.lowEntropy && now.var < o.lowVarentropy)
    return "LELV";
  if (now.ent > o.highEntropy && now.var < o.lowVarentropy)
    return "HELV";
  if (now.ent < lehv && now.var > o.highVarentropy)
    return "LEHV";
  if (now.ent > o.mediumEntropy && now.var > o.highVarentropy)
    return "HEHV";
  return o.compat ? "LELV" : "adaptive";
}

/// A state that was loaded may be of another model.
static void checkSize(const DirichletState &state, size_t vocab) {
  size_t alphas = state.started ? vocab : state.alpha.size();
  if ((!state.logp.empty() || state.started) &&
      (state.logp.size() != vocab || state.alpha.size() != alphas))
    throw Error(ErrorKind::State, "the saved state of the sampler has ",
                state.logp.size(), " ids, the model ", vocab);
}

int32_t DirichletSampler::sample(const SampleInput &input, SamplerState *given,
                                 SampleTrace *trace) const {
  if (input.logits.empty())
    throw Error(ErrorKind::Argument, "sampler: there are no logits");
  auto &state = *static_cast<DirichletState *>(given);
  checkSize(state, input.logits.size());
  if (!state.started) {
    if (state.rows == 0) // no prompt was shown
      observe(input.logits, state);
    start(state);
  }
  thread_local Scratch s;
  normalize(input.logits, s);
  Moments now = getMoments(s.y, s.p);
  std::string_view quadrant = findQuadrant(now);
  StepRandom random{o.seed, input.sequence, input.position};
  Candidates candidates;
  std::unique_ptr<SamplerState> before;
  if (quadrant == "HEHV")
    before = state.clone();
  int32_t id = step(state, s, random, 0, candidates);
  if (quadrant == "HEHV") { // once more, without that token
    state = *static_cast<DirichletState *>(before.get());
    s.logits[id] = -std::numeric_limits<double>::infinity();
    constexpr uint32_t kOthers = 1u << 31;
    id = step(state, s, random, o.compat ? 0 : kOthers, candidates);
  }
  bool repeats = !input.history.empty() && !o.compat &&
                 input.history.back() == o.clarifyToken;
  if (quadrant == "HELV" && o.clarifyToken >= 0 && !repeats &&
      size_t(o.clarifyToken) < input.logits.size()) {
    id = o.clarifyToken;
    candidates = {{id}, {1.0}};
  }
  if (trace) {
    trace->fill(input.logits, id, candidates);
    trace->state = quadrant;
  }
  return id;
}

} // namespace

std::unique_ptr<Sampler>
createDirichletSampler(const DirichletOptions &options) {
  checkFields(getDirichletFields(), options);
  return std::make_unique<DirichletSampler>(options);
}

} // namespace llamart
