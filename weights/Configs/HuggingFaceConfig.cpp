//===- HuggingFaceConfig.cpp - config.json, generation_config.json --------===//
//
// Defaults of absent keys are those of Hugging Face's Llama configuration; the
// five sizes that have no sensible default must be there.
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
    {"hidden_act", "\"silu\""},
    {"is_decoder", "false"},
    {"is_encoder_decoder", "false"},
    {"mlp_bias", "false"},
    {"partial_rotary_factor", "1.0"},
    {"pruned_heads", "{}"},
    {"quantization", "null"},
    {"quantization_config", "null"},
    {"rope_interleaved", "false"},
    {"sliding_window", "null"},
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

  std::string modelType;
  object.read("model_type", modelType);
  if (!modelType.empty() && modelType != "llama")
    object.fail("model_type", "expected 'llama', found " + quote(modelType));

  const json *architectures = object.get("architectures");
  if (!architectures || architectures->is_null())
    return;
  if (*architectures != json::array({"LlamaForCausalLM"}) &&
      *architectures != json::array({"LLaMAForCausalLM"}))
    object.fail("architectures", "only [\"LlamaForCausalLM\"] is supported");
}

void readRopeScaling(JsonObject &object, ModelConfig &config) {
  // "type" is what "rope_type" was called at first.
  std::optional<std::string> type, oldType;
  object.find("rope_type", type);
  object.find("type", oldType);
  if (!type)
    type = oldType.value_or("default");
  if (oldType && *oldType != *type)
    object.fail("type",
                "is " + quote(*oldType) + ", but rope_type is " + quote(*type));
  if (*type == "default")
    return;
  if (*type != "llama3")
    return object.fail("rope_type",
                       "expected 'llama3' or 'default', found " + quote(*type));
  RopeScaling scaling;
  object.read("factor", scaling.factor);
  object.read("low_freq_factor", scaling.lowFreqFactor);
  object.read("high_freq_factor", scaling.highFreqFactor);
  object.read("original_max_position_embeddings", scaling.originalMaxPositions);
  config.ropeScaling = scaling;
}

/// rope_theta and rope_scaling, or both in rope_parameters, as newer files have
/// it.
void readRope(JsonObject &object, ModelConfig &config) {
  config.ropeTheta = 10000.0;
  object.find("rope_theta", config.ropeTheta);
  if (auto scaling = object.findObject("rope_scaling")) {
    readRopeScaling(*scaling, config);
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
  readRopeScaling(*parameters, config);
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
  object.read("hidden_size", config.hidden);
  object.read("intermediate_size", config.ffn);
  object.read("vocab_size", config.vocab);
  object.read("num_hidden_layers", config.layers);
  object.read("num_attention_heads", config.heads);
  config.kvHeads = config.heads;
  object.find("num_key_value_heads", config.kvHeads);
  std::optional<int64_t> headDim;
  object.find("head_dim", headDim);
  config.maxSeqLen = 2048;
  object.find("max_position_embeddings", config.maxSeqLen);
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
