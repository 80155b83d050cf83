//===- HuggingFaceConfigTest.cpp - config.json, generation_config.json ----===//
//
// A published configuration, its defaults, and every key that is refused.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/HuggingFaceConfig.h"

#include "test/weights/Messages.h"

#include <nlohmann/json.hpp>

using namespace llamatest;
using namespace llamaweights;
using nlohmann::json;

namespace {

/// What Llama 3.2 1B Instruct has.
json makeLlama32() {
  return json::parse(R"({
    "architectures": ["LlamaForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "bos_token_id": 128000,
    "eos_token_id": [128001, 128008, 128009], "head_dim": 64,
    "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
    "intermediate_size": 8192, "max_position_embeddings": 131072,
    "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32,
    "num_hidden_layers": 16, "num_key_value_heads": 8, "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0,
      "low_freq_factor": 1.0, "original_max_position_embeddings": 8192,
      "rope_type": "llama3"},
    "rope_theta": 500000.0, "tie_word_embeddings": true,
    "torch_dtype": "bfloat16", "transformers_version": "4.45.0.dev0",
    "use_cache": true, "vocab_size": 128256})");
}

json makeSmall() {
  return json::parse(R"({"model_type": "llama", "hidden_size": 64,
    "intermediate_size": 172, "vocab_size": 512, "num_hidden_layers": 5,
    "num_attention_heads": 8})");
}

llvm::Expected<ModelConfig> parse(const json &value) {
  return parseHuggingFaceConfig(value.dump(), "config.json");
}

/// The message if `change` is merged into the published configuration.
std::string getComplaint(const char *change, bool remove = false) {
  json value = makeLlama32();
  if (remove)
    value.erase(change);
  else
    value.update(json::parse(change));
  return getMessage(parse(value));
}

TEST(HuggingFaceConfig, ReadsAPublishedOne) {
  auto config = parse(makeLlama32());
  ASSERT_TRUE(bool(config)) << getMessage(std::move(config));
  EXPECT_EQ(config->hidden, 2048);
  EXPECT_EQ(config->ffn, 8192);
  EXPECT_EQ(config->vocab, 128256);
  EXPECT_EQ(config->layers, 16);
  EXPECT_EQ(config->heads, 32);
  EXPECT_EQ(config->kvHeads, 8);
  EXPECT_EQ(config->headDim, 64);
  EXPECT_EQ(config->maxSeqLen, 131072);
  EXPECT_EQ(config->normEps, 1e-5);
  EXPECT_EQ(config->ropeTheta, 500000.0);
  ASSERT_TRUE(config->ropeScaling.has_value());
  EXPECT_EQ(config->ropeScaling->factor, 32.0);
  EXPECT_EQ(config->ropeScaling->lowFreqFactor, 1.0);
  EXPECT_EQ(config->ropeScaling->highFreqFactor, 4.0);
  EXPECT_EQ(config->ropeScaling->originalMaxPositions, 8192);
  EXPECT_TRUE(config->tiedEmbeddings);
  EXPECT_EQ(config->bosToken, 128000);
  EXPECT_EQ(config->eosTokens, (std::vector<int64_t>{128001, 128008, 128009}));
}

TEST(HuggingFaceConfig, HasDefaults) {
  auto config = parse(makeSmall());
  ASSERT_TRUE(bool(config)) << getMessage(std::move(config));
  EXPECT_EQ(config->kvHeads, 8);
  EXPECT_EQ(config->headDim, 8);
  EXPECT_EQ(config->maxSeqLen, 2048);
  EXPECT_EQ(config->normEps, 1e-6);
  EXPECT_EQ(config->ropeTheta, 10000.0);
  EXPECT_FALSE(config->ropeScaling.has_value());
  EXPECT_FALSE(config->tiedEmbeddings);
  EXPECT_FALSE(config->bosToken.has_value());
  EXPECT_TRUE(config->eosTokens.empty());
}

TEST(HuggingFaceConfig, ReadsHeadsWiderThanTheirShare) {
  json value = makeSmall();
  value["head_dim"] = 32;
  auto config = parse(value);
  ASSERT_TRUE(bool(config)) << getMessage(std::move(config));
  EXPECT_EQ(config->headDim, 32);
}

TEST(HuggingFaceConfig, ReadsEveryFormOfRope) {
  json llama3 = {{"factor", 8.0},
                 {"low_freq_factor", 1.0},
                 {"high_freq_factor", 4.0},
                 {"original_max_position_embeddings", 8192}};
  json value = makeSmall();
  value["rope_scaling"] = llama3;
  value["rope_scaling"]["type"] = "llama3"; // the older spelling
  auto config = parse(value);
  ASSERT_TRUE(bool(config)) << getMessage(std::move(config));
  EXPECT_EQ(config->ropeScaling->factor, 8.0);

  value = makeSmall(); // the newer one
  value["rope_parameters"] = llama3;
  value["rope_parameters"]["rope_type"] = "llama3";
  value["rope_parameters"]["rope_theta"] = 500000.0;
  config = parse(value);
  ASSERT_TRUE(bool(config)) << getMessage(std::move(config));
  EXPECT_EQ(config->ropeScaling->factor, 8.0);
  EXPECT_EQ(config->ropeTheta, 500000.0);

  value = makeSmall();
  value["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 5e5}};
  config = parse(value);
  ASSERT_TRUE(bool(config)) << getMessage(std::move(config));
  EXPECT_FALSE(config->ropeScaling.has_value());
}

TEST(HuggingFaceConfig, ReadsLinearScaling) {
  json value = makeSmall();
  value["rope_scaling"] = {{"type", "linear"}, {"factor", 2.5}};
  ModelConfig config = llvm::cantFail(parse(value));
  EXPECT_EQ(config.ropeScaling->rule, RopeRule::Linear);
  EXPECT_EQ(config.ropeScaling->factor, 2.5);
  EXPECT_EQ(config.ropeAttentionFactor, 1.0);
}

TEST(HuggingFaceConfig, ReadsYarn) {
  json value = makeSmall();
  json &yarn = value["rope_scaling"];
  yarn = {{"rope_type", "yarn"}, {"factor", 4.0}, {"finetuned", true}};
  ModelConfig config = llvm::cantFail(parse(value));
  EXPECT_EQ(config.ropeScaling->rule, RopeRule::Yarn);
  EXPECT_EQ(config.ropeScaling->originalMaxPositions, 2048);
  EXPECT_EQ(config.ropeScaling->betaFast, 32.0);
  EXPECT_EQ(config.ropeScaling->betaSlow, 1.0);
  EXPECT_TRUE(config.ropeScaling->truncate);
  EXPECT_DOUBLE_EQ(config.ropeAttentionFactor, 1.1386294361119891);

  yarn["original_max_position_embeddings"] = 512;
  yarn["mscale"] = 0.9;
  yarn["mscale_all_dim"] = 0.4;
  config = llvm::cantFail(parse(value));
  EXPECT_EQ(config.ropeScaling->originalMaxPositions, 512);
  EXPECT_NEAR(config.ropeAttentionFactor, 1.1247664 / 1.0554517, 1e-6);

  yarn["attention_factor"] = 0.75;
  yarn["beta_fast"] = 16;
  yarn["beta_slow"] = 2;
  yarn["truncate"] = false;
  value["original_max_position_embeddings"] = 256; // outside, it wins
  config = llvm::cantFail(parse(value));
  EXPECT_EQ(config.ropeAttentionFactor, 0.75);
  EXPECT_EQ(config.ropeScaling->originalMaxPositions, 256);
  EXPECT_EQ(config.ropeScaling->betaFast, 16.0);
  EXPECT_EQ(config.ropeScaling->betaSlow, 2.0);
  EXPECT_FALSE(config.ropeScaling->truncate);
}

TEST(HuggingFaceConfig, AMistralWithoutAWindowIsALlama) {
  json value = makeSmall();
  value["model_type"] = "mistral";
  value["architectures"] = {"MistralForCausalLM"};
  EXPECT_EQ(getMessage(parse(value)),
            "config.json: key 'sliding_window': is not there, which means "
            "4096, expected null or at least max_position_embeddings (131072)");
  value["sliding_window"] = nullptr;
  ModelConfig config = llvm::cantFail(parse(value));
  EXPECT_EQ(config.kvHeads, 8);
  EXPECT_EQ(config.maxSeqLen, 131072);
  value["max_position_embeddings"] = 4096;
  value.erase("sliding_window");
  EXPECT_EQ(getMessage(parse(value)), "");
  value["sliding_window"] = 4095;
  EXPECT_EQ(getMessage(parse(value)),
            "config.json: key 'sliding_window': is 4095, expected null or at "
            "least max_position_embeddings (4096)");
  value["sliding_window"] = 4096;
  value["architectures"] = {"LlamaForCausalLM"};
  EXPECT_EQ(getMessage(parse(value)),
            "config.json: key 'architectures': only [\"MistralForCausalLM\"] "
            "is supported");
}

TEST(HuggingFaceConfig, NamesMissingKeys) {
  for (std::string key :
       {"model_type", "hidden_size", "intermediate_size", "vocab_size",
        "num_hidden_layers", "num_attention_heads"})
    EXPECT_EQ(getComplaint(key.c_str(), /*remove=*/true),
              "config.json: key '" + key + "': is missing");
}

TEST(HuggingFaceConfig, NamesUnknownKeys) {
  EXPECT_EQ(getComplaint(R"({"hidden_sise": 1})"),
            "config.json: key 'hidden_sise': is not known; did you mean "
            "'hidden_size'?");
  EXPECT_EQ(getComplaint(R"({"logit_scale": 2.0})"),
            "config.json: key 'logit_scale': is not known");
}

TEST(HuggingFaceConfig, RefusesKeysThatChangeTheMath) {
  const std::pair<const char *, const char *> cases[] = {
      {R"({"attention_bias": true})",
       "key 'attention_bias': only false is supported"},
      {R"({"mlp_bias": true})", "key 'mlp_bias': only false is supported"},
      {R"({"hidden_act": "gelu"})",
       "key 'hidden_act': expected 'silu' or 'swish', found 'gelu'"},
      {R"({"partial_rotary_factor": 0.5})",
       "key 'partial_rotary_factor': only 1.0 is supported"},
      {R"({"quantization_config": {"bits": 4}})",
       "key 'quantization_config': only null is supported"},
      {R"({"quantization": {"bits": 4}})",
       "key 'quantization': only null is supported"},
      {R"({"sliding_window": 4096})",
       "key 'sliding_window': is 4096, expected null or at least "
       "max_position_embeddings (131072)"},
      {R"({"rope_interleaved": true})",
       "key 'rope_interleaved': only false is supported"},
      {R"({"is_encoder_decoder": true})",
       "key 'is_encoder_decoder': only false is supported"},
      {R"({"pruned_heads": {"0": [1]}})",
       "key 'pruned_heads': only {} is supported"},
      {R"({"model_type": "qwen2"})",
       "key 'model_type': expected 'llama' or 'mistral', found 'qwen2'"},
      {R"({"model_type": "mistral"})",
       "key 'architectures': only [\"MistralForCausalLM\"] is supported"},
      {R"({"architectures": ["LlamaForSequenceClassification"]})",
       "key 'architectures': only [\"LlamaForCausalLM\"] is supported"},
      {R"({"rope_scaling": {"rope_type": "dynamic", "factor": 4.0}})",
       "key 'rope_scaling.rope_type': expected 'default', 'linear', 'llama3' "
       "or 'yarn', found 'dynamic'"},
      {R"({"rope_scaling": {"type": "longrope", "factor": 4.0}})",
       "key 'rope_scaling.rope_type': expected 'default', 'linear', 'llama3' "
       "or 'yarn', found 'longrope'"},
      {R"({"rope_scaling": {"type": "linear"}})",
       "key 'rope_scaling.factor': is missing"},
      {R"({"rope_scaling": {"type": "linear", "factor": 2, "beta_fast": 1}})",
       "key 'rope_scaling.beta_fast': is not known"},
      {R"({"rope_scaling": {"type": "yarn", "factor": 2, "beta_fast": 1,
                            "beta_slow": 2}})",
       "rope.scaling.beta_slow is 2, expected at most rope.scaling.beta_fast "
       "(1)"},
      {R"({"rope_scaling": {"type": "yarn", "factor": 2,
                            "original_max_position_embeddings": 3}})",
       "rope.scaling: the ramp of yarn begins at 0 and ends at -1, expected an "
       "end after the begin"},
      {R"({"rope_scaling": {"type": "yarn", "factor": 2,
                            "attention_factor": 0}})",
       "rope.attention_factor is 0, expected a finite number greater than 0"},
      {R"({"rope_scaling": {"partial_rotary_factor": 0.5}})",
       "key 'rope_scaling.partial_rotary_factor': only 1.0 is supported"},
      {R"({"rope_scaling": {"rope_type": "llama3", "type": "yarn"}})",
       "key 'rope_scaling.type': is 'yarn', but rope_type is 'llama3'"},
      {R"({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}})",
       "key 'rope_scaling.low_freq_factor': is missing"},
      {R"({"rope_parameters": {"rope_type": "default"}})",
       "key 'rope_parameters': is there as well as rope_scaling, expected one "
       "of "
       "them"},
  };
  for (auto [change, message] : cases)
    EXPECT_EQ(getComplaint(change), std::string("config.json: ") + message);
}

TEST(HuggingFaceConfig, ValuesThatChangeNothingAreFine) {
  for (const char *change :
       {R"({"partial_rotary_factor": 1})", R"({"quantization_config": null})",
        R"({"sliding_window": null})", R"({"pruned_heads": {}})",
        R"({"architectures": null})", R"({"head_dim": null})",
        R"({"rope_scaling": null})", R"({"hidden_act": "swish"})",
        R"({"sliding_window": 131072})"})
    EXPECT_EQ(getComplaint(change), "") << change;
}

TEST(HuggingFaceConfig, RefusesSizesThatDoNotDivide) {
  json value = makeSmall();
  value["num_attention_heads"] = 7;
  EXPECT_EQ(getMessage(parse(value)),
            "config.json: num_attention_heads is 7, but hidden_size (64) must "
            "be a multiple of it where there is no head_dim");
  value["num_attention_heads"] = 0;
  EXPECT_EQ(getMessage(parse(value)),
            "config.json: num_attention_heads is 0, but hidden_size (64) must "
            "be a multiple of it where there is no head_dim");
  value = makeSmall();
  value["num_key_value_heads"] = 3;
  EXPECT_EQ(getMessage(parse(value)),
            "config.json: heads.kv is 3, but heads.query (8) must be a "
            "multiple of it");
}

TEST(HuggingFaceConfig, GenerationConfigAddsTokens) {
  ModelConfig config = llvm::cantFail(parse(makeSmall()));
  config.eosTokens = {2};
  EXPECT_EQ(getMessage(addGenerationConfig(
                R"({"temperature": 0.6, "anything": [1], "bos_token_id": 1,
                    "eos_token_id": [2, 5, 5]})",
                "generation_config.json", config)),
            "");
  EXPECT_EQ(config.bosToken, 1);
  EXPECT_EQ(config.eosTokens, (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(getMessage(addGenerationConfig(R"({"bos_token_id": 3})",
                                           "generation_config.json", config)),
            "");
  EXPECT_EQ(config.bosToken, 1);
}

TEST(HuggingFaceConfig, GenerationConfigHasErrorsToo) {
  ModelConfig config = llvm::cantFail(parse(makeSmall()));
  EXPECT_EQ(getMessage(addGenerationConfig(R"({"eos_token_id": "x"})",
                                           "generation_config.json", config)),
            "generation_config.json: key 'eos_token_id': expected an integer "
            "or an array of integers, found the string 'x'");
  EXPECT_EQ(getMessage(addGenerationConfig(R"({"eos_token_id": 512})",
                                           "generation_config.json", config)),
            "generation_config.json: eos_tokens is 512, expected 0 to 511");
}

} // namespace
