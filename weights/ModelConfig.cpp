//===- ModelConfig.cpp - Hyper-parameters of a Llama model ----------------===//
//
// What a set of hyper-parameters must satisfy before anybody multiplies two of
// them, and the rotary frequencies that follow from it.
//
//===----------------------------------------------------------------------===//

#include "weights/ModelConfig.h"

#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <set>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace llamaweights {
namespace {

// With these limits the bytes of the largest tensor (2^24 rows of 2^20 f32) are
// 2^46, and those of 4096 layers of the largest matrices 2^54: no product of
// sizes leaves 63 bits. They are eight and more times what Llama 3.1 405B has.
constexpr int64_t kMaxWidth = int64_t(1) << 20;
constexpr int64_t kMaxVocab = int64_t(1) << 24;
constexpr int64_t kMaxLayers = 4096;
constexpr int64_t kMaxHeads = 4096;
constexpr int64_t kMaxHeadDim = 4096;
constexpr int64_t kMaxPositions = int64_t(1) << 30;

/// "0.5", "1e-05".
std::string formatNumber(double value) {
  std::string text;
  raw_string_ostream(text) << format("%g", value);
  return text;
}

/// Collects the first complaint.
class Checker {
public:
  explicit Checker(StringRef where) : where(where) {}

  void range(StringRef name, int64_t value, int64_t least, int64_t most) {
    if (value < least || value > most)
      fail(
          formatv("{0} is {1}, expected {2} to {3}", name, value, least, most));
  }

  /// A finite number greater than zero.
  void positive(StringRef name, double value) {
    if (!std::isfinite(value) || value <= 0.0)
      fail(name + " is " + formatNumber(value) +
           ", expected a finite number greater than 0");
  }

  void require(bool holds, const Twine &complaint) {
    if (!holds)
      fail(complaint);
  }

  Error take() {
    if (message.empty())
      return Error::success();
    return makeInputError(where, message);
  }

private:
  void fail(const Twine &complaint) {
    if (message.empty())
      message = complaint.str();
  }

  StringRef where;
  std::string message;
};

void checkShape(const ModelConfig &config, Checker &check) {
  check.range("hidden", config.hidden, 2, kMaxWidth);
  check.range("ffn", config.ffn, 2, kMaxWidth);
  check.range("vocab", config.vocab, 2, kMaxVocab);
  check.range("layers", config.layers, 1, kMaxLayers);
  check.range("heads.query", config.heads, 1, kMaxHeads);
  check.range("heads.kv", config.kvHeads, 1, kMaxHeads);
  check.range("heads.dim", config.headDim, 2, kMaxHeadDim);
  check.range("max_seq_len", config.maxSeqLen, 1, kMaxPositions);
  if (config.kvHeads > 0)
    check.require(config.heads % config.kvHeads == 0,
                  formatv("heads.kv is {0}, but heads.query ({1}) must be a "
                          "multiple of it",
                          config.kvHeads, config.heads));
  check.require(
      config.headDim % 2 == 0,
      formatv("heads.dim is {0}, expected an even number", config.headDim));
  if (config.heads <= kMaxHeads && config.headDim <= kMaxHeadDim)
    check.range("heads.query * heads.dim", config.heads * config.headDim, 1,
                kMaxWidth);
}

void checkLlama3(const RopeScaling &scaling, Checker &check) {
  check.positive("rope.scaling.low_freq_factor", scaling.lowFreqFactor);
  check.positive("rope.scaling.high_freq_factor", scaling.highFreqFactor);
  check.require(scaling.lowFreqFactor < scaling.highFreqFactor,
                "rope.scaling.low_freq_factor is " +
                    formatNumber(scaling.lowFreqFactor) +
                    ", expected less than rope.scaling.high_freq_factor (" +
                    formatNumber(scaling.highFreqFactor) + ")");
}

void checkYarn(const RopeScaling &scaling, const ModelConfig &config,
               Checker &check) {
  check.positive("rope.scaling.beta_fast", scaling.betaFast);
  check.positive("rope.scaling.beta_slow", scaling.betaSlow);
  check.require(scaling.betaSlow <= scaling.betaFast,
                "rope.scaling.beta_slow is " + formatNumber(scaling.betaSlow) +
                    ", expected at most rope.scaling.beta_fast (" +
                    formatNumber(scaling.betaFast) + ")");
  auto [low, high] = scaling.getYarnRamp(config.headDim, config.ropeTheta);
  check.require(low <= high, "rope.scaling: the ramp of yarn begins at " +
                                 formatNumber(low) + " and ends at " +
                                 formatNumber(high) +
                                 ", expected an end after the begin");
}

void checkScaling(const RopeScaling &scaling, const ModelConfig &config,
                  Checker &check) {
  check.positive("rope.scaling.factor", scaling.factor);
  check.require(scaling.factor >= 1.0, "rope.scaling.factor is " +
                                           formatNumber(scaling.factor) +
                                           ", expected 1 or more");
  if (scaling.rule == RopeRule::Linear)
    return;
  check.range("rope.scaling.original_max_positions",
              scaling.originalMaxPositions, 1, kMaxPositions);
  if (scaling.rule == RopeRule::Llama3)
    checkLlama3(scaling, check);
  else
    checkYarn(scaling, config, check);
}

void checkRope(const ModelConfig &config, Checker &check) {
  check.positive("norm_eps", config.normEps);
  check.positive("rope.theta", config.ropeTheta);
  check.positive("rope.attention_factor", config.ropeAttentionFactor);
  if (config.ropeScaling)
    checkScaling(*config.ropeScaling, config, check);
  if (config.ropeDivisors.empty())
    return;
  check.require(!config.ropeScaling,
                "has both a rule for scaling rotary frequencies and a list of "
                "their divisors, expected one of them");
  check.require(
      int64_t(config.ropeDivisors.size()) == config.headDim / 2,
      formatv("lists {0} divisors of rotary frequencies, expected {1} "
              "(half of heads.dim)",
              config.ropeDivisors.size(), config.headDim / 2));
  for (auto [i, divisor] : enumerate(config.ropeDivisors))
    check.positive(formatv("divisor {0} of the rotary frequencies", i).str(),
                   divisor);
}

void checkTokens(const ModelConfig &config, Checker &check) {
  if (config.bosToken)
    check.range("bos_token", *config.bosToken, 0, config.vocab - 1);
  for (int64_t token : config.eosTokens)
    check.range("eos_tokens", token, 0, config.vocab - 1);
}

void checkOutputTokens(const ModelConfig &config, Checker &check) {
  check.require(config.outputTokens.empty() || !config.tiedEmbeddings,
                "has output_tokens, but its output matrix is the embedding: "
                "expected tied_embeddings false");
  check.require(config.outputTokens.size() != 1,
                "output_tokens has one token, expected two or more");
  std::set<int64_t> seen;
  for (int64_t token : config.outputTokens) {
    check.range("output_tokens", token, 0, config.vocab - 1);
    check.require(seen.insert(token).second,
                  formatv("output_tokens has {0} twice", token));
  }
}

/// Under the keys of model.json.
Json describe(const RopeScaling &scaling) {
  Json json = {{"type", getName(scaling.rule).str()},
               {"factor", scaling.factor}};
  if (scaling.rule == RopeRule::Llama3) {
    json["low_freq_factor"] = scaling.lowFreqFactor;
    json["high_freq_factor"] = scaling.highFreqFactor;
  }
  if (scaling.rule != RopeRule::Linear)
    json["original_max_positions"] = scaling.originalMaxPositions;
  if (scaling.rule == RopeRule::Yarn) {
    json["beta_fast"] = scaling.betaFast;
    json["beta_slow"] = scaling.betaSlow;
    json["truncate"] = scaling.truncate;
  }
  return json;
}

} // namespace

Error ModelConfig::validate(StringRef where) const {
  Checker check(where);
  checkShape(*this, check);
  checkRope(*this, check);
  checkTokens(*this, check);
  checkOutputTokens(*this, check);
  return check.take();
}

std::vector<double> getRopeDivisors(const ModelConfig &config) {
  if (!config.ropeScaling)
    return config.ropeDivisors;
  std::vector<double> divisors = computeRopeFrequencies(
      config.headDim, config.ropeTheta, /*scaling=*/std::nullopt);
  for (auto [divisor, scaled] :
       zip_equal(divisors, config.getRopeFrequencies()))
    divisor /= scaled;
  return divisors;
}

std::optional<RopeScaling> recognizeRopeScaling(const ModelConfig &config,
                                                double tolerance) {
  if (config.ropeDivisors.empty())
    return std::nullopt;
  std::vector<double> frequencies = computeRopeFrequencies(
      config.headDim, config.ropeTheta, /*scaling=*/std::nullopt);
  auto matches = [&](const RopeScaling &scaling) {
    std::vector<double> scaled =
        computeRopeFrequencies(config.headDim, config.ropeTheta, scaling);
    for (auto [wanted, frequency, divided] :
         zip_equal(config.ropeDivisors, frequencies, scaled)) {
      double found = frequency / divided;
      if (!(std::abs(float(found) - float(wanted)) <= tolerance * wanted))
        return false;
    }
    return true;
  };
  // The longest wave is stretched by the whole factor, unless none is that
  // long.
  for (double factor : {config.ropeDivisors.back(), 8.0, 32.0, 2.0, 4.0, 16.0})
    for (int64_t original = 8192, next = 16; original <= (1 << 24);
         original = next, next *= 2)
      if (RopeScaling scaling = {factor, 1.0, 4.0, original};
          factor >= 1.0 && matches(scaling))
        return scaling;
  return std::nullopt;
}

std::vector<double> ModelConfig::getRopeFrequencies() const {
  std::vector<double> frequencies =
      computeRopeFrequencies(headDim, ropeTheta, ropeScaling);
  if (!ropeDivisors.empty())
    for (auto [frequency, divisor] : zip_equal(frequencies, ropeDivisors))
      frequency /= divisor;
  return frequencies;
}

Json ModelConfig::toJson() const {
  Json rope = {{"theta", ropeTheta}, {"scaling", nullptr}};
  if (ropeScaling)
    rope["scaling"] = describe(*ropeScaling);
  // YaRN has a factor of its own where none is stated.
  bool isYarn = ropeScaling && ropeScaling->rule == RopeRule::Yarn;
  if (isYarn || ropeAttentionFactor != 1.0)
    rope["attention_factor"] = ropeAttentionFactor;
  if (!ropeDivisors.empty())
    rope["divisors"] = ropeDivisors;
  Json json = {
      {"hidden", hidden},
      {"ffn", ffn},
      {"vocab", vocab},
      {"layers", layers},
      {"heads", {{"query", heads}, {"kv", kvHeads}, {"dim", headDim}}}};
  json["norm_eps"] = normEps;
  json["rope"] = std::move(rope);
  json["max_seq_len"] = maxSeqLen;
  json["tied_embeddings"] = tiedEmbeddings;
  json["output_tokens"] = outputTokens.empty() ? Json() : Json(outputTokens);
  json["bos_token"] = bosToken ? Json(*bosToken) : Json();
  json["eos_tokens"] = eosTokens;
  return json;
}

} // namespace llamaweights
