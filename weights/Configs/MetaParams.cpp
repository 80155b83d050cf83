//===- MetaParams.cpp - Meta's params.json --------------------------------===//
//
// What the file says, then what the tensors say, then Meta's defaults. A stored
// matrix wins over the rule for the feed-forward width, but contradicts an
// explicit hidden_dim or vocab_size only as an error.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/MetaParams.h"

#include "weights/Configs/OutputTokens.h"
#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

/// Keys that are not part of ModelConfig as such.
struct Params {
  int64_t vocab = -1;
  int64_t multipleOf = 256;
  double multiplier = 1.0;
  bool scaledRope = false;
  std::optional<int64_t> headDim, ffn, maxSeqLen;
  RopeScaling scaling;
  bool hasRule = false, hasFactor = false;
  std::optional<bool> tied;
};

void refuseExperts(JsonObject &object) {
  for (StringRef key : {"moe", "moe_args"})
    if (object.has(key))
      object.fail(key, "mixtures of experts are not supported");
}

void readQuantization(JsonObject &object,
                      std::optional<MetaQuantization> *quantization) {
  for (StringRef key : {"quantization_args", "lora_args"})
    if (object.has(key) && !quantization)
      object.fail(key, "quantized checkpoints of Meta's are not supported");
  if (!quantization)
    return;
  auto args = object.findObject("quantization_args");
  if (!args)
    return;
  MetaQuantization &result = quantization->emplace();
  std::string scheme;
  args->read("scheme", scheme);
  if (!scheme.empty() && scheme != "int4_weight_int8_dynamic_activation")
    args->fail("scheme", "expected 'int4_weight_int8_dynamic_activation', "
                         "found " +
                             quote(scheme));
  args->find("group_size", result.groupSize);
  args->find("spinquant", result.isHadamardRotated);
  object.absorb(*args);
  auto lora = object.findObject("lora_args");
  if (!lora)
    return;
  lora->read("rank", result.loraRank);
  lora->read("scale", result.loraScale);
  object.absorb(*lora);
}

/// Which rule scales RoPE, if it is not that of use_scaled_rope, and the
/// numbers of any.
void readScaling(JsonObject &object, ModelConfig &config, Params &params) {
  RopeScaling &scaling = params.scaling;
  std::string type = "llama3";
  object.find("rope_scaling_type", type);
  params.hasRule = object.has("rope_scaling_type");
  if (std::optional<RopeRule> rule = findRopeRule(type))
    scaling.rule = *rule;
  else
    object.fail("rope_scaling_type",
                "expected 'linear', 'llama3' or 'yarn', found " + quote(type));
  if (params.scaledRope && scaling.rule != RopeRule::Llama3)
    object.fail("rope_scaling_type", "is " + quote(type) +
                                         ", but use_scaled_rope is true, which "
                                         "means 'llama3'");
  object.find("rope_scaling_factor", scaling.factor);
  object.find("rope_low_freq_factor", scaling.lowFreqFactor);
  object.find("rope_high_freq_factor", scaling.highFreqFactor);
  object.find("rope_original_max_positions", scaling.originalMaxPositions);
  object.find("rope_beta_fast", scaling.betaFast);
  object.find("rope_beta_slow", scaling.betaSlow);
  object.find("rope_truncate", scaling.truncate);
  params.hasFactor = object.has("rope_scaling_factor");
  if (scaling.rule != RopeRule::Llama3 && !params.hasFactor)
    object.fail("rope_scaling_factor", "is missing");
  if (scaling.rule == RopeRule::Yarn)
    config.ropeAttentionFactor = getYarnAttentionFactor(scaling.factor);
  object.find("rope_attention_factor", config.ropeAttentionFactor);
}

/// Keys that Meta's own programs have no use for; they say what a checkpoint
/// that was converted from another format said.
void readExtensions(JsonObject &object, ModelConfig &config, Params &params) {
  readScaling(object, config, params);
  object.find("tie_word_embeddings", params.tied);
  findOutputTokens(object, config);
  object.find("bos_token_id", config.bosToken);
  object.findIntegers("eos_token_id", config.eosTokens);
}

void readParams(JsonObject &object, ModelConfig &config, Params &params) {
  refuseExperts(object);
  object.read("dim", config.hidden);
  object.read("n_layers", config.layers);
  object.read("n_heads", config.heads);
  config.kvHeads = config.heads;
  object.find("n_kv_heads", config.kvHeads);
  object.find("head_dim", params.headDim);
  object.find("vocab_size", params.vocab);
  object.find("hidden_dim", params.ffn);
  object.find("multiple_of", params.multipleOf);
  object.find("ffn_dim_multiplier", params.multiplier);
  config.normEps = 1e-5;
  object.find("norm_eps", config.normEps);
  config.ropeTheta = 10000.0;
  object.find("rope_theta", config.ropeTheta);
  object.find("use_scaled_rope", params.scaledRope);
  object.find("max_seq_len", params.maxSeqLen);
  readExtensions(object, config, params);
}

Error settleVocab(StringRef where, const Params &params,
                  const MetaShapes &shapes, ModelConfig &config) {
  config.vocab = params.vocab;
  if (config.vocab == -1 && shapes.vocab)
    config.vocab = *shapes.vocab;
  if (shapes.vocab && config.vocab != *shapes.vocab)
    return makeInputError(where, "key 'vocab_size': is " + Twine(params.vocab) +
                                     ", but tok_embeddings has " +
                                     Twine(*shapes.vocab) + " rows");
  return Error::success();
}

Error settleFfn(StringRef where, const Params &params, const MetaShapes &shapes,
                ModelConfig &config) {
  if (params.ffn && shapes.ffn && *params.ffn != *shapes.ffn)
    return makeInputError(where, "key 'hidden_dim': is " + Twine(*params.ffn) +
                                     ", but feed_forward.w1 has " +
                                     Twine(*shapes.ffn) + " rows");
  if (params.ffn || shapes.ffn) {
    config.ffn = params.ffn ? *params.ffn : *shapes.ffn;
    return Error::success();
  }
  constexpr int64_t kMost = int64_t(1) << 20;
  if (params.multipleOf < 1 || params.multipleOf > kMost)
    return makeInputError(where, "key 'multiple_of': is " +
                                     Twine(params.multipleOf) +
                                     ", expected 1 to " + Twine(kMost));
  if (!(params.multiplier > 0.0 && params.multiplier <= 64.0))
    return makeInputError(where, "key 'ffn_dim_multiplier': expected a number "
                                 "greater than 0 and at most 64");
  if (config.hidden < 1 || config.hidden > kMost)
    return makeInputError(where, "key 'dim': is " + Twine(config.hidden) +
                                     ", expected 1 to " + Twine(kMost));
  config.ffn = getMetaFfn(config.hidden, params.multiplier, params.multipleOf);
  return Error::success();
}

/// The file does not say by how much: 32 for the two models of Llama 3.2, 8 for
/// Llama 3.1 and 3.3.
double getMetaFactor(const ModelConfig &config) {
  bool is1B = config.hidden == 2048 && config.layers == 16;
  bool is3B = config.hidden == 3072 && config.layers == 28;
  return is1B || is3B ? 32.0 : 8.0;
}

/// A remark says so.
double assumeFactor(StringRef where, ModelConfig &config) {
  double factor = getMetaFactor(config);
  config.remarks.push_back(
      (where + ": says use_scaled_rope, but not by how much: taken as " +
       Twine(int(factor)) + "; rope_scaling_factor states another factor")
          .str());
  return factor;
}

/// Nor does it say how long a text may be: 131072 since Llama 3.1, which scales
/// RoPE; 8192 for Llama 3, known by its theta; 4096 for Llama 2.
int64_t getMetaMaxSeqLen(const ModelConfig &config) {
  if (config.ropeScaling && config.ropeScaling->rule == RopeRule::Llama3)
    return 131072;
  return config.ropeTheta >= 500000.0 ? 8192 : 4096;
}

} // namespace

int64_t getMetaFfn(int64_t dim, double multiplier, int64_t multipleOf) {
  int64_t width = 2 * (4 * dim) / 3;
  width = int64_t(multiplier * double(width));
  return int64_t(alignTo(uint64_t(width), uint64_t(multipleOf)));
}

Expected<ModelConfig>
parseMetaParams(StringRef text, StringRef where, const MetaShapes &shapes,
                std::optional<MetaQuantization> *quantization) {
  Expected<json> parsed = parseJson(text, where);
  if (!parsed)
    return parsed.takeError();

  ModelConfig config;
  Params params;
  JsonObject object(where, *parsed);
  readParams(object, config, params);
  readQuantization(object, quantization);
  if (Error error = object.finish())
    return std::move(error);
  if (Error error = settleVocab(where, params, shapes, config))
    return std::move(error);
  if (Error error = settleFfn(where, params, shapes, config))
    return std::move(error);

  if (!params.headDim &&
      (config.heads < 1 || config.hidden % config.heads != 0))
    return makeInputError(where, "key 'n_heads': is " + Twine(config.heads) +
                                     ", but dim (" + Twine(config.hidden) +
                                     ") must be a multiple of it");
  config.headDim =
      params.headDim ? *params.headDim : config.hidden / config.heads;
  if (params.scaledRope || params.hasRule) {
    if (!params.hasFactor)
      params.scaling.factor = assumeFactor(where, config);
    config.ropeScaling = params.scaling;
  }
  config.maxSeqLen =
      params.maxSeqLen ? *params.maxSeqLen : getMetaMaxSeqLen(config);
  config.tiedEmbeddings = params.tied.value_or(!shapes.hasOutput);
  if (Error error = config.validate(where))
    return std::move(error);
  return config;
}

} // namespace llamaweights
