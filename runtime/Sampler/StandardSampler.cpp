//===- StandardSampler.cpp - A chain of steps and a draw ------------------===//

#include "runtime/Sampler/StandardSampler.h"

#include "runtime/Error.h"
#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/Philox.h"
#include "runtime/Sampler/StateBytes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace llamart {
namespace {

// Which random number of a step is for what.
constexpr uint32_t kDraw = 0, kXtcCoin = 1;

struct MirostatState : SamplerState {
  double surprise = 0.0; ///< bits a token may have
  std::unique_ptr<SamplerState> clone() const override {
    return std::make_unique<MirostatState>(*this);
  }
  std::string save() const override {
    return StateWriter(kTag)(surprise).take();
  }
  static constexpr std::string_view kTag = "mirostat";
};

class StandardSampler : public Sampler {
public:
  explicit StandardSampler(const SamplerOptions &options) : options(options) {}

  std::unique_ptr<SamplerState> makeState() const override {
    if (options.mirostat == 0)
      return nullptr;
    auto state = std::make_unique<MirostatState>();
    state->surprise = 2.0 * double(options.mirostatTau);
    return state;
  }

  std::unique_ptr<SamplerState>
  loadState(std::string_view saved) const override {
    if (options.mirostat == 0)
      return Sampler::loadState(saved);
    auto state = std::make_unique<MirostatState>();
    StateReader(saved, MirostatState::kTag)(state->surprise).finish();
    return state;
  }

  int32_t sample(const SampleInput &input, SamplerState *state,
                 SampleTrace *trace) const override {
    if (input.logits.empty())
      throw Error(ErrorKind::Argument, "sampler: there are no logits");
    thread_local SamplerChain chain;
    StepRandom random{options.seed, input.sequence, input.position};
    auto *mirostat = static_cast<MirostatState *>(state);
    const Candidates &candidates =
        options.mirostat && mirostat
            ? chain.runMirostat(input, options, mirostat->surprise)
            : chain.run(input, options, random.uniform(kXtcCoin));
    size_t chosen = candidates.draw(random.uniform(kDraw));
    int32_t id = candidates.getId(chosen);
    if (mirostat) {
      double observed = -std::log2(candidates.weights[chosen] /
                                   sumWeights(candidates.weights));
      mirostat->surprise -= double(options.mirostatEta) *
                            (observed - double(options.mirostatTau));
    }
    if (trace)
      trace->fill(input.logits, id, candidates);
    return id;
  }

private:
  SamplerOptions options;
};

constexpr double kLarge = 1e6;
constexpr double kWhole = INT32_MAX;

constexpr auto kStandardFields = std::to_array<OptionField<SamplerOptions>>({
    {"repeat_penalty", &SamplerOptions::repeatPenalty, 1e-6, kLarge,
     "Penalty of recent tokens; 1: none"},
    {"frequency_penalty", &SamplerOptions::frequencyPenalty, -kLarge, kLarge,
     "Subtracted for each occurrence among them"},
    {"presence_penalty", &SamplerOptions::presencePenalty, -kLarge, kLarge,
     "Subtracted once if there is one"},
    {"repeat_last_n", &SamplerOptions::penaltyWindow, -1, kWhole,
     "So many tokens are recent; -1: all"},
    {"dry_multiplier", &SamplerOptions::dryMultiplier, 0, kLarge,
     "DRY: penalty of going on with a repetition; 0: none"},
    {"dry_base", &SamplerOptions::dryBase, 0, kLarge,
     "DRY: grows by this factor with each token"},
    {"dry_allowed_length", &SamplerOptions::dryAllowedLength, 0, kWhole,
     "DRY: longest repetition without a penalty"},
    {"dry_penalty_last_n", &SamplerOptions::dryWindow, -1, kWhole,
     "DRY: looks at so many tokens; -1: all"},
    {"top_n_sigma", &SamplerOptions::topNSigma, -1, kLarge,
     "Only logits so many deviations below the best; 0 and less: all"},
    {"top_k", &SamplerOptions::topK, 0, kWhole,
     "Only the k most probable tokens; 0: all"},
    {"typical_p", &SamplerOptions::typicalP, 0, 1,
     "Only tokens of typical surprise, of this probability together"},
    {"top_p", &SamplerOptions::topP, 0, 1,
     "Only the tokens that make up this probability"},
    {"min_p", &SamplerOptions::minP, 0, 1,
     "Only tokens this probable relative to the best"},
    {"xtc_probability", &SamplerOptions::xtcProbability, 0, 1,
     "XTC: how often it drops the top candidates"},
    {"xtc_threshold", &SamplerOptions::xtcThreshold, 0, 1,
     "XTC: drops tokens this probable, but the least of them"},
    {"temperature", &SamplerOptions::temperature, 0, kLarge,
     "Divides the logits; 0 is greedy"},
    {"dynatemp_range", &SamplerOptions::dynatempRange, 0, kLarge,
     "The temperature follows the entropy, so far up and down"},
    {"dynatemp_exponent", &SamplerOptions::dynatempExponent, 0, kLarge,
     "Bends the way from low to high"},
    {"mirostat", &SamplerOptions::mirostat, 0, 2,
     "Mirostat 1 or 2 in place of the steps above but temperature; 0: none"},
    {"mirostat_tau", &SamplerOptions::mirostatTau, 0, kLarge,
     "Mirostat: surprise aimed at, bits"},
    {"mirostat_eta", &SamplerOptions::mirostatEta, 0, kLarge,
     "Mirostat: how fast it follows"},
});

constexpr auto kChainSteps =
    std::to_array<std::pair<std::string_view, ChainStep>>({
        {"penalties", ChainStep::Penalties},
        {"dry", ChainStep::Dry},
        {"top_n_sigma", ChainStep::TopNSigma},
        {"top_k", ChainStep::TopK},
        {"typ_p", ChainStep::Typical},
        {"top_p", ChainStep::TopP},
        {"min_p", ChainStep::MinP},
        {"xtc", ChainStep::Xtc},
        {"temperature", ChainStep::Temperature},
    });

} // namespace

std::span<const OptionField<SamplerOptions>> getStandardFields() {
  return kStandardFields;
}

std::optional<ChainStep> findChainStep(std::string_view name) {
  for (auto [known, step] : kChainSteps)
    if (known == name)
      return step;
  return std::nullopt;
}

std::string listChainSteps() {
  std::string list;
  for (auto [name, step] : kChainSteps)
    list.append(list.empty() ? "" : ";").append(name);
  return list;
}

std::unique_ptr<Sampler> createStandardSampler(const SamplerOptions &options) {
  checkFields(getStandardFields(), options);
  for (const LogitBias &bias : options.logitBias)
    if (bias.id < 0 || std::isnan(bias.bias))
      throw Error(ErrorKind::Argument, "sampler: logit bias of token ", bias.id,
                  " is ", bias.bias, ", expected a token and a number");
  return std::make_unique<StandardSampler>(options);
}

std::unique_ptr<Sampler> createGreedySampler() {
  SamplerOptions options;
  options.temperature = 0.0f;
  return createStandardSampler(options);
}

} // namespace llamart
