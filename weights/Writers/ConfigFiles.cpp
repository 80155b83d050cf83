//===- ConfigFiles.cpp - Hyper-parameters as each format has them ---------===//
//
// One function for each file.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/ConfigFiles.h"

#include "weights/Configs/MetaParams.h"

#include "llvm/ADT/StringSwitch.h"

#include <nlohmann/json.hpp>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace llamaweights {
namespace {

Json printTokens(const std::vector<int64_t> &tokens) {
  if (tokens.empty())
    return nullptr;
  return tokens.size() == 1 ? Json(tokens[0]) : Json(tokens);
}

/// As config.json has it.
Json printScaling(const ModelConfig &config) {
  if (!config.ropeScaling)
    return nullptr;
  const RopeScaling &scaling = *config.ropeScaling;
  Json json = {{"factor", scaling.factor}};
  if (scaling.rule == RopeRule::Llama3) {
    json["low_freq_factor"] = scaling.lowFreqFactor;
    json["high_freq_factor"] = scaling.highFreqFactor;
  }
  if (scaling.rule != RopeRule::Linear)
    json["original_max_position_embeddings"] = scaling.originalMaxPositions;
  if (scaling.rule == RopeRule::Yarn) {
    json["beta_fast"] = scaling.betaFast;
    json["beta_slow"] = scaling.betaSlow;
    json["attention_factor"] = config.ropeAttentionFactor;
    if (!scaling.truncate)
      json["truncate"] = false;
  }
  json["rope_type"] = getName(scaling.rule).str();
  return json;
}

/// Of params.json: what parseMetaParams would not conclude by itself.
void addMetaScaling(const ModelConfig &config, const ModelConfig &assumed,
                    Json &json) {
  if (config.ropeScaling) {
    const RopeScaling &scaling = *config.ropeScaling;
    RopeScaling known = assumed.ropeScaling.value_or(RopeScaling());
    if (!assumed.ropeScaling || known.factor != scaling.factor)
      json["rope_scaling_factor"] = scaling.factor;
    if (known.lowFreqFactor != scaling.lowFreqFactor)
      json["rope_low_freq_factor"] = scaling.lowFreqFactor;
    if (known.highFreqFactor != scaling.highFreqFactor)
      json["rope_high_freq_factor"] = scaling.highFreqFactor;
    if (known.originalMaxPositions != scaling.originalMaxPositions)
      json["rope_original_max_positions"] = scaling.originalMaxPositions;
    if (scaling.rule != RopeRule::Llama3)
      json["rope_scaling_type"] = getName(scaling.rule).str();
    if (scaling.rule == RopeRule::Yarn) {
      json["rope_beta_fast"] = scaling.betaFast;
      json["rope_beta_slow"] = scaling.betaSlow;
      json["rope_truncate"] = scaling.truncate;
      json["rope_attention_factor"] = config.ropeAttentionFactor;
    }
  }
  if (config.ropeAttentionFactor != 1.0)
    json["rope_attention_factor"] = config.ropeAttentionFactor;
}

std::string print(const Json &json) { return json.dump(2) + "\n"; }

} // namespace

std::string printHuggingFaceConfig(const ModelConfig &config, DType type) {
  StringRef typeName = type == DType::BF16  ? "bfloat16"
                       : type == DType::F16 ? "float16"
                                            : "float32";
  Json json = {
      {"architectures", Json::array({"LlamaForCausalLM"})},
      {"attention_bias", false},
      {"attention_dropout", 0.0},
      {"bos_token_id", config.bosToken ? Json(*config.bosToken) : Json()},
      {"eos_token_id", printTokens(config.eosTokens)},
      {"head_dim", config.headDim},
      {"hidden_act", "silu"},
      {"hidden_size", config.hidden},
      {"initializer_range", 0.02},
      {"intermediate_size", config.ffn},
      {"max_position_embeddings", config.maxSeqLen},
      {"mlp_bias", false},
      {"model_type", "llama"},
      {"num_attention_heads", config.heads},
      {"num_hidden_layers", config.layers},
      {"num_key_value_heads", config.kvHeads},
      {"pretraining_tp", 1},
      {"rms_norm_eps", config.normEps},
      {"rope_scaling", printScaling(config)},
      {"rope_theta", config.ropeTheta},
      {"tie_word_embeddings", config.tiedEmbeddings},
      {"torch_dtype", typeName.str()},
      {"use_cache", true},
      {"vocab_size", config.vocab}};
  return print(json);
}

std::string printMetaParams(const ModelConfig &config) {
  Json json = {
      {"dim", config.hidden},
      {"n_layers", config.layers},
      {"n_heads", config.heads},
      {"n_kv_heads", config.kvHeads},
      {"vocab_size", config.vocab},
      {"norm_eps", config.normEps},
      {"rope_theta", config.ropeTheta},
      {"use_scaled_rope",
       config.ropeScaling && config.ropeScaling->rule == RopeRule::Llama3}};
  // Meta's programs compute the width; these values give it, or else nothing
  // does and it is stated.
  auto addRule = [&] {
    for (double multiplier : {1.0, 1.3, 1.4, 1.5})
      for (int64_t multiple : {256, 1024, 4096})
        if (getMetaFfn(config.hidden, multiplier, multiple) == config.ffn) {
          json["ffn_dim_multiplier"] = multiplier;
          json["multiple_of"] = multiple;
          return true;
        }
    return false;
  };
  if (!addRule())
    json["hidden_dim"] = config.ffn;

  // What parseMetaParams would conclude, and what it has to be told.
  MetaShapes shapes = {config.vocab, config.ffn, !config.tiedEmbeddings};
  auto concluded = parseMetaParams(json.dump(), "params.json", shapes);
  ModelConfig assumed;
  if (concluded)
    assumed = std::move(*concluded);
  else
    consumeError(concluded.takeError());
  if (assumed.headDim != config.headDim)
    json["head_dim"] = config.headDim;
  if (assumed.maxSeqLen != config.maxSeqLen)
    json["max_seq_len"] = config.maxSeqLen;
  addMetaScaling(config, assumed, json);
  if (!config.outputTokens.empty())
    json["output_tokens"] = config.outputTokens;
  if (config.bosToken)
    json["bos_token_id"] = *config.bosToken;
  if (!config.eosTokens.empty())
    json["eos_token_id"] = printTokens(config.eosTokens);
  return print(json);
}

std::string printNanotronConfig(const ModelConfig &config) {
  Json json = {
      {"bos_token_id", config.bosToken ? Json(*config.bosToken) : Json()},
      {"eos_token_id", printTokens(config.eosTokens)},
      {"hidden_act", "silu"},
      {"hidden_size", config.hidden},
      {"initializer_range", 0.02},
      {"intermediate_size", config.ffn},
      {"is_llama_config", true},
      {"max_position_embeddings", config.maxSeqLen},
      {"num_attention_heads", config.heads},
      {"num_hidden_layers", config.layers},
      {"num_key_value_heads", config.kvHeads},
      {"pad_token_id", nullptr},
      {"pretraining_tp", 1},
      {"rms_norm_eps", config.normEps},
      {"rope_interleaved", false},
      {"rope_scaling", printScaling(config)},
      {"rope_theta", config.ropeTheta},
      {"tie_word_embeddings", config.tiedEmbeddings},
      {"use_cache", true},
      {"vocab_size", config.vocab}};
  // nanotron itself has no word for it: heads are hidden / heads wide.
  if (config.headDim * config.heads != config.hidden)
    json["head_dim"] = config.headDim;
  return print(json);
}

} // namespace llamaweights
