//===- GgufConfig.cpp - Hyper-parameters of a *.gguf file -----------------===//
//
// Keys below "llama." are all read, or known to change nothing with the value
// they have, or refused.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/GgufConfig.h"

#include "weights/Containers/GgufKeys.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr int64_t kNotGiven = -1;

void refuseOtherMath(GgufKeys &keys) {
  std::string architecture;
  keys.read("general.architecture", architecture);
  if (!architecture.empty() && architecture != "llama")
    keys.fail("general.architecture",
              "expected 'llama', found " + quote(architecture));

  int64_t experts = 0, expertsUsed = 0;
  keys.find("llama.expert_count", experts);
  keys.find("llama.expert_used_count", expertsUsed);
  if (experts != 0 || expertsUsed != 0)
    keys.fail("llama.expert_count", "mixtures of experts are not supported");

  bool causal = true, parallel = false;
  keys.find("llama.attention.causal", causal);
  keys.find("llama.use_parallel_residual", parallel);
  if (!causal)
    keys.fail("llama.attention.causal", "only true is supported");
  if (parallel)
    keys.fail("llama.use_parallel_residual", "only false is supported");

  keys.has("llama.tensor_data_layout"); // a remark
}

/// An adapter has the keys of its model, but not its tensors.
void refuseAdapter(GgufKeys &keys) {
  std::string type = "model";
  keys.find("general.type", type);
  if (type == "adapter")
    keys.fail("general.type",
              "is 'adapter': a LoRA adapter, not a model; merge it into its "
              "base model first, with llama.cpp's llama-export-lora");
}

/// What llama.cpp reads of YaRN's keys, and what it multiplies cosines and
/// sines by; its defaults.
void readYarn(GgufKeys &keys, RopeScaling &scaling, double &attention) {
  keys.find("llama.rope.scaling.original_context_length",
            scaling.originalMaxPositions);
  keys.find("llama.rope.scaling.yarn_beta_fast", scaling.betaFast);
  keys.find("llama.rope.scaling.yarn_beta_slow", scaling.betaSlow);
  double logarithm = 0.0;
  keys.find("llama.rope.scaling.yarn_log_multiplier", logarithm);
  attention *= getYarnAttentionFactor(scaling.factor);
  if (logarithm != 0.0)
    attention /= getYarnAttentionFactor(scaling.factor, logarithm);
}

/// Without a type the scaling is linear, as llama.cpp has it; Llama 3's is not
/// among the types, but a tensor, rope_freqs. The attention factor counts
/// whatever the type is.
void readScaling(GgufKeys &keys, ModelConfig &config) {
  std::string type = "linear";
  RopeScaling scaling;
  scaling.factor = 0.0;
  scaling.originalMaxPositions = config.maxSeqLen;
  keys.find("llama.rope.scaling.type", type);
  keys.find("llama.rope.scale_linear", scaling.factor); // the older name
  keys.find("llama.rope.scaling.factor", scaling.factor);
  if (scaling.factor == 0.0)
    scaling.factor = 1.0;
  keys.find("llama.rope.scaling.attn_factor", config.ropeAttentionFactor);
  if (type == "yarn") {
    scaling.rule = RopeRule::Yarn;
    readYarn(keys, scaling, config.ropeAttentionFactor);
  } else if (type == "linear") {
    scaling.rule = RopeRule::Linear;
  } else if (type != "none") {
    return keys.fail("llama.rope.scaling.type",
                     "expected 'none', 'linear' or 'yarn', found " +
                         quote(type) +
                         "; the scaling of Llama 3 is stored as tensor "
                         "rope_freqs.weight");
  }
  // Of no effect without such a scaling, or remarks.
  for (StringRef key : {"llama.rope.scaling.finetuned",
                        "llama.rope.scaling.original_context_length",
                        "llama.rope.scaling.yarn_beta_fast",
                        "llama.rope.scaling.yarn_beta_slow",
                        "llama.rope.scaling.yarn_log_multiplier"})
    keys.has(key);
  if (type != "none" && scaling.factor != 1.0)
    config.ropeScaling = scaling;
}

void readHeads(GgufKeys &keys, ModelConfig &config) {
  keys.readPerLayer("llama.attention.head_count", config.layers, config.heads);
  config.kvHeads = config.heads;
  if (keys.has("llama.attention.head_count_kv"))
    keys.readPerLayer("llama.attention.head_count_kv", config.layers,
                      config.kvHeads);

  int64_t keyLength = kNotGiven;
  keys.find("llama.attention.key_length", keyLength);
  if (keyLength == kNotGiven) {
    if (config.heads < 1 || config.hidden % config.heads != 0)
      return keys.fail("llama.attention.head_count",
                       "is " + Twine(config.heads) +
                           ", but llama.embedding_length (" +
                           Twine(config.hidden) + ") must be a multiple of it");
    keyLength = config.hidden / config.heads;
  }
  config.headDim = keyLength;
  for (StringRef key :
       {"llama.attention.value_length", "llama.rope.dimension_count"}) {
    int64_t length = keyLength;
    keys.find(key, length);
    if (length != keyLength)
      keys.fail(key, "is " + Twine(length) + ", expected " + Twine(keyLength) +
                         ", the width of a head");
  }
}

void readVocab(GgufKeys &keys, const GgufFile &file, ModelConfig &config) {
  const StoredTensor *embedding = findStored(file.tensors, "token_embd.weight");
  int64_t rows = embedding ? embedding->shape.front() : kNotGiven;
  config.vocab = rows;
  keys.find("llama.vocab_size", config.vocab);
  if (embedding && config.vocab != rows)
    keys.fail("llama.vocab_size", "is " + Twine(config.vocab) +
                                      ", but token_embd.weight has " +
                                      Twine(rows) + " rows");
}

void readEosTokens(GgufKeys &keys, ModelConfig &config) {
  // Absent tokens are left out, or written as 2^32 - 1.
  constexpr int64_t kNoToken = 0xffffffff;
  int64_t bos = kNoToken, eos = kNoToken;
  keys.find("tokenizer.ggml.bos_token_id", bos);
  keys.find("tokenizer.ggml.eos_token_id", eos);
  if (bos != kNoToken)
    config.bosToken = bos;
  if (eos != kNoToken)
    config.eosTokens.push_back(eos);
}

/// The divisors are f32. Where they are those of Llama 3's rule, the rule was
/// meant, and it gives the frequencies that other formats' readers give. Where
/// keys scale besides, both count: the divisors become those of the two.
Error settleDivisors(StringRef where, ModelConfig &config) {
  std::optional<RopeScaling> scaling;
  if (!config.ropeDivisors.empty())
    std::swap(scaling, config.ropeScaling);
  if (Error error = config.validate(where))
    return error;
  if (scaling) {
    ModelConfig scaled = config;
    scaled.ropeDivisors.clear();
    scaled.ropeScaling = scaling;
    if (Error error = scaled.validate(where))
      return error;
    for (auto [divisor, more] :
         zip_equal(config.ropeDivisors, getRopeDivisors(scaled)))
      divisor *= more;
  } else if (auto rule = recognizeRopeScaling(config, /*tolerance=*/0.0)) {
    config.ropeScaling = rule;
    config.ropeDivisors.clear();
  }
  return Error::success();
}

} // namespace

Expected<std::vector<double>> readGgufRopeDivisors(const GgufFile &file) {
  constexpr int64_t kMostDivisors = 1 << 16;
  std::vector<double> divisors;
  const StoredTensor *tensor = findStored(file.tensors, "rope_freqs.weight");
  if (!tensor)
    return divisors;
  if (tensor->dtype != DType::F32 || tensor->shape.size() != 1 ||
      tensor->shape[0] > kMostDivisors)
    return makeInputError(file.path, "tensor 'rope_freqs.weight': expected one "
                                     "dimension of f32, found " +
                                         formatShape(tensor->shape) + " of " +
                                         getName(tensor->dtype));
  std::vector<float> values(size_t(tensor->shape[0]));
  if (Error error = tensor->file->read(tensor->offset,
                                       {reinterpret_cast<char *>(values.data()),
                                        values.size() * sizeof(float)}))
    return std::move(error);
  divisors.assign(values.begin(), values.end());
  return divisors;
}

Expected<ModelConfig> readGgufConfig(const GgufFile &file) {
  ModelConfig config;
  GgufKeys keys(file);
  refuseOtherMath(keys);
  refuseAdapter(keys);
  keys.read("llama.embedding_length", config.hidden);
  keys.read("llama.block_count", config.layers);
  keys.readPerLayer("llama.feed_forward_length", config.layers, config.ffn);
  readHeads(keys, config);
  readVocab(keys, file, config);
  keys.read("llama.context_length", config.maxSeqLen);
  keys.read("llama.attention.layer_norm_rms_epsilon", config.normEps);
  config.ropeTheta = 10000.0;
  keys.find("llama.rope.freq_base", config.ropeTheta);
  readScaling(keys, config);
  readEosTokens(keys, config);
  keys.refuseUnknown("llama.");
  if (Error error = keys.finish())
    return std::move(error);

  config.tiedEmbeddings = !findStored(file.tensors, "output.weight");
  auto divisors = readGgufRopeDivisors(file);
  if (!divisors)
    return divisors.takeError();
  config.ropeDivisors = std::move(*divisors);
  if (Error error = settleDivisors(file.path, config))
    return std::move(error);
  return config;
}

} // namespace llamaweights
