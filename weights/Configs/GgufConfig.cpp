//===- GgufConfig.cpp - Hyper-parameters of a *.gguf file -----------------===//
//
// Keys below "llama." are all read, or known to change nothing with the value
// they have, or refused.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/GgufConfig.h"

#include "weights/Containers/GgufKeys.h"
#include "weights/InputError.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr int64_t kNotGiven = -1;

void refuseOtherMath(GgufKeys &keys) {
  std::string architecture, scaling = "none";
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

  // Llama 3's rule is not among these types: it is a tensor, rope_freqs.
  double factor = 1.0, oldFactor = 1.0;
  keys.find("llama.rope.scaling.type", scaling);
  keys.find("llama.rope.scaling.factor", factor);
  keys.find("llama.rope.scale_linear", oldFactor);
  if (scaling != "none" && (scaling != "linear" || factor != 1.0))
    keys.fail("llama.rope.scaling.type",
              quote(scaling) + " is not supported; the scaling of Llama 3 is "
                               "stored as tensor rope_freqs.weight");
  if (oldFactor != 1.0)
    keys.fail("llama.rope.scale_linear", "only 1 is supported");

  // Of no effect without scaling, or remarks.
  for (StringRef key :
       {"llama.rope.scaling.attn_factor", "llama.rope.scaling.finetuned",
        "llama.rope.scaling.original_context_length",
        "llama.tensor_data_layout"})
    keys.has(key);
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
  keys.read("llama.embedding_length", config.hidden);
  keys.read("llama.block_count", config.layers);
  keys.readPerLayer("llama.feed_forward_length", config.layers, config.ffn);
  readHeads(keys, config);
  readVocab(keys, file, config);
  keys.read("llama.context_length", config.maxSeqLen);
  keys.read("llama.attention.layer_norm_rms_epsilon", config.normEps);
  config.ropeTheta = 10000.0;
  keys.find("llama.rope.freq_base", config.ropeTheta);
  readEosTokens(keys, config);
  keys.refuseUnknown("llama.");
  if (Error error = keys.finish())
    return std::move(error);

  config.tiedEmbeddings = !findStored(file.tensors, "output.weight");
  auto divisors = readGgufRopeDivisors(file);
  if (!divisors)
    return divisors.takeError();
  config.ropeDivisors = std::move(*divisors);
  if (Error error = config.validate(file.path))
    return std::move(error);
  // The divisors are f32. Where they are those of Llama 3's rule, the rule was
  // meant, and it gives the frequencies that other formats' readers give.
  if (auto scaling = recognizeRopeScaling(config, /*tolerance=*/0.0)) {
    config.ropeScaling = scaling;
    config.ropeDivisors.clear();
  }
  return config;
}

} // namespace llamaweights
