//===- HuggingFaceConfig.cpp - config.json, generation_config.json --------===//
//
// Defaults of absent keys are those of Hugging Face's configuration of the
// family; the five sizes that have no sensible default must be there.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/HuggingFaceConfig.h"

#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

constexpr StringLiteral kHarmlessKeys[] = {
    // Where the file comes from and what wrote it.
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_attn_implementation_internal",
    "_commit_hash",
    "_name_or_path",
    "auto_map",
    "dtype",
    "is_llama_config",
    "torch_dtype",
    "transformers.js_config",
    "transformers_version",
    "unsloth_fixed",
    "unsloth_version",
    // Training.
    "attention_dropout",
    "chunk_size_feed_forward",
    "finetuning_task",
    "gradient_checkpointing",
    "hidden_dropout",
    "id2label",
    "initializer_range",
    "label2id",
    "pretraining_tp",
    "problem_type",
    "resid_pdrop",
    "task_specific_params",
    "tf_legacy_loss",
    "use_bfloat16",
    // How a result is handed over.
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "return_dict",
    "return_dict_in_generate",
    "torchscript",
    "use_cache",
    // Sampling.
    "bad_words_ids",
    "begin_suppress_tokens",
    "diversity_penalty",
    "do_sample",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "remove_invalid_values",
    "repetition_penalty",
    "suppress_tokens",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
    // Tokens that the model itself never looks at.
    "decoder_start_token_id",
    "pad_token_id",
    "prefix",
    "sep_token_id",
    "tokenizer_class",
};

/// A key that may be there only with the value under which it does nothing.
struct NeutralKey {
  StringLiteral key, value; ///< value as JSON
};
constexpr NeutralKey kNeutralKeys[] = {
    {"add_cross_attention", "false"},
    {"attention_bias", "false"},
    {"cross_attention_hidden_size", "null"},
    {"is_decoder", "false"},
    {"is_encoder_decoder", "false"},
    {"mlp_bias", "false"},
    {"partial_rotary_factor", "1.0"},
    {"pruned_heads", "{}"},
    {"quantization", "null"},
    {"quantization_config", "null"},
    {"rope_interleaved", "false"},
    {"tie_encoder_decoder", "false"},
};

void refuseOtherMath(JsonObject &object) {
  for (const NeutralKey &neutral : kNeutralKeys) {
    const json *found = object.get(neutral.key);
    if (!found || found->is_null() ||
        *found == json::parse(neutral.value, nullptr, false))
      continue;
    object.fail(neutral.key, "only " + neutral.value + " is supported");
  }

  // Two names of x * sigmoid(x).
  std::string activation = "silu";
  object.find("hidden_act", activation);
  if (activation != "silu" && activation != "swish")
    object.fail("hidden_act",
                "expected 'silu' or 'swish', found " + quote(activation));
}

/// A family whose models compute what a Llama does, and what its configuration
/// leaves out.
struct Family {
  StringLiteral modelType;
  ArrayRef<StringLiteral> architectures;
  std::optional<int64_t> kvHeads; ///< none: as many as query heads
  int64_t maxSeqLen;
  std::optional<int64_t> window; ///< positions that attention looks back
};
constexpr StringLiteral kLlamaNames[] = {"LlamaForCausalLM",
                                         "LLaMAForCausalLM"};
constexpr StringLiteral kMistralNames[] = {"MistralForCausalLM"};
constexpr Family kLlama = {"llama", kLlamaNames, std::nullopt, 2048,
                           std::nullopt};
constexpr Family kMistral = {"mistral", kMistralNames, 8, 131072, 4096};

const Family &readFamily(JsonObject &object) {
  std::string modelType;
  object.read("model_type", modelType);
  const Family &family = modelType == kMistral.modelType ? kMistral : kLlama;
  if (!modelType.empty() && modelType != family.modelType)
    object.fail("model_type",
                "expected 'llama' or 'mistral', found " + quote(modelType));
  const json *found = object.get("architectures");
  if (!found || found->is_null())
    return family;
  bool isKnown = any_of(family.architectures, [&](StringRef name) {
    return *found == json::array({name.str()});
  });
  if (!isKnown)
    object.fail("architectures",
                "only [\"" + family.architectures.front() + "\"] is supported");
  return family;
}

/// A window as long as the model's positions changes nothing.
void refuseWindow(JsonObject &object, const Family &family,
                  const ModelConfig &config) {
  std::optional<int64_t> window = family.window;
  const json *found = object.get("sliding_window");
  if (found && found->is_null())
    return;
  object.find("sliding_window", window);
  if (window && *window < config.maxSeqLen)
    object.fail("sliding_window",
                Twine(found ? "is " : "is not there, which means ") +
                    Twine(*window) +
                    ", expected null or at least max_position_embeddings (" +
                    Twine(config.maxSeqLen) + ")");
}

void readLlama3(JsonObject &object, RopeScaling &scaling) {
  object.read("low_freq_factor", scaling.lowFreqFactor);
  object.read("high_freq_factor", scaling.highFreqFactor);
}

/// Keys and defaults of transformers' YaRN, and what cosines and sines are
/// multiplied by.
void readYarn(JsonObject &object, RopeScaling &scaling, double &attention) {
  object.find("beta_fast", scaling.betaFast);
  object.find("beta_slow", scaling.betaSlow);
  object.find("truncate", scaling.truncate);
  object.has("finetuned"); // a remark
  double mscale = 0.0, allDimensions = 0.0;
  object.find("mscale", mscale);
  object.find("mscale_all_dim", allDimensions);
  attention = getYarnAttentionFactor(scaling.factor);
  if (mscale != 0.0 && allDimensions != 0.0)
    attention = getYarnAttentionFactor(scaling.factor, mscale) /
                getYarnAttentionFactor(scaling.factor, allDimensions);
  object.find("attention_factor", attention);
}

/// `original`: what the file states outside of `object`, which wins.
void readRopeScaling(JsonObject &object, std::optional<int64_t> original,
                     ModelConfig &config) {
  // "type" is what "rope_type" was called at first.
  std::optional<std::string> type, oldType;
  object.find("rope_type", type);
  object.find("type", oldType);
  if (!type)
    type = oldType.value_or("default");
  if (oldType && *oldType != *type)
    object.fail("type",
                "is " + quote(*oldType) + ", but rope_type is " + quote(*type));
  double part = 1.0;
  object.find("partial_rotary_factor", part);
  if (part != 1.0)
    object.fail("partial_rotary_factor", "only 1.0 is supported");
  if (*type == "default")
    return;
  std::optional<RopeRule> rule = findRopeRule(*type);
  if (!rule)
    return object.fail(
        "rope_type",
        "expected 'default', 'linear', 'llama3' or 'yarn', found " +
            quote(*type));
  RopeScaling scaling;
  scaling.rule = *rule;
  object.read("factor", scaling.factor);
  if (*rule == RopeRule::Llama3)
    readLlama3(object, scaling);
  else if (*rule == RopeRule::Yarn)
    readYarn(object, scaling, config.ropeAttentionFactor);
  if (*rule != RopeRule::Linear) {
    scaling.originalMaxPositions = config.maxSeqLen;
    object.find("original_max_position_embeddings",
                scaling.originalMaxPositions);
    scaling.originalMaxPositions =
        original.value_or(scaling.originalMaxPositions);
  }
  config.ropeScaling = scaling;
}

/// rope_theta and rope_scaling, or both in rope_parameters, as newer files have
/// it.
void readRope(JsonObject &object, ModelConfig &config) {
  config.ropeTheta = 10000.0;
  object.find("rope_theta", config.ropeTheta);
  std::optional<int64_t> original;
  object.find("original_max_position_embeddings", original);
  if (auto scaling = object.findObject("rope_scaling")) {
    readRopeScaling(*scaling, original, config);
    object.absorb(*scaling);
  }
  auto parameters = object.findObject("rope_parameters");
  if (!parameters)
    return;
  if (object.has("rope_scaling"))
    object.fail("rope_parameters",
                "is there as well as rope_scaling, expected one "
                "of them");
  parameters->find("rope_theta", config.ropeTheta);
  readRopeScaling(*parameters, original, config);
  object.absorb(*parameters);
}

void addTokens(ArrayRef<int64_t> tokens, std::vector<int64_t> &all) {
  for (int64_t token : tokens)
    if (!is_contained(all, token))
      all.push_back(token);
}

} // namespace

Expected<ModelConfig> parseHuggingFaceConfig(StringRef text, StringRef where) {
  Expected<json> parsed = parseJson(text, where);
  if (!parsed)
    return parsed.takeError();

  ModelConfig config;
  JsonObject object(where, *parsed);
  object.allow(kHarmlessKeys);
  refuseOtherMath(object);
  const Family &family = readFamily(object);
  object.read("hidden_size", config.hidden);
  object.read("intermediate_size", config.ffn);
  object.read("vocab_size", config.vocab);
  object.read("num_hidden_layers", config.layers);
  object.read("num_attention_heads", config.heads);
  config.kvHeads = family.kvHeads.value_or(config.heads);
  object.find("num_key_value_heads", config.kvHeads);
  std::optional<int64_t> headDim;
  object.find("head_dim", headDim);
  config.maxSeqLen = family.maxSeqLen;
  object.find("max_position_embeddings", config.maxSeqLen);
  refuseWindow(object, family, config);
  config.normEps = 1e-6;
  object.find("rms_norm_eps", config.normEps);
  readRope(object, config);
  object.find("tie_word_embeddings", config.tiedEmbeddings);
  object.find("bos_token_id", config.bosToken);
  std::vector<int64_t> eosTokens;
  object.findIntegers("eos_token_id", eosTokens);
  addTokens(eosTokens, config.eosTokens);
  if (Error error = object.finish())
    return std::move(error);

  if (!headDim && (config.heads < 1 || config.hidden % config.heads != 0))
    return makeInputError(where,
                          "num_attention_heads is " + Twine(config.heads) +
                              ", but hidden_size (" + Twine(config.hidden) +
                              ") must be a multiple of it where there "
                              "is no head_dim");
  config.headDim = headDim ? *headDim : config.hidden / config.heads;
  if (Error error = config.validate(where))
    return std::move(error);
  return config;
}

Error addGenerationConfig(StringRef text, StringRef where,
                          ModelConfig &config) {
  Expected<json> parsed = parseJson(text, where);
  if (!parsed)
    return parsed.takeError();
  // The rest of the file is about sampling; the keys are many and change often.
  JsonObject object(where, *parsed);
  if (parsed->is_object())
    for (const auto &[key, ignored] : parsed->items())
      object.has(key);
  std::optional<int64_t> bosToken;
  object.find("bos_token_id", bosToken);
  std::vector<int64_t> eosTokens;
  object.findIntegers("eos_token_id", eosTokens);
  if (Error error = object.finish())
    return error;
  if (!config.bosToken)
    config.bosToken = bosToken;
  addTokens(eosTokens, config.eosTokens);
  return config.validate(where);
}

} // namespace llamaweights
