//===- GgufConfigTest.cpp - Hyper-parameters of a *.gguf file -------------===//
//
// Keys and the three tensors that count as such => ModelConfig.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/GgufConfig.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

#include <functional>

using namespace llamatest;
using namespace llamaweights;

namespace {

/// Keys of a model; a test changes some before they are written.
struct Keys {
  std::string architecture = "llama";
  uint32_t hidden = 64, ffn = 172, layers = 5, heads = 8, kvHeads = 4;
  std::function<void(GgufWriter &)> more = [](GgufWriter &) {};

  GgufWriter write() const {
    GgufWriter writer;
    writer.string("general.architecture", architecture)
        .u32("llama.embedding_length", hidden)
        .u32("llama.feed_forward_length", ffn)
        .u32("llama.block_count", layers)
        .u32("llama.attention.head_count", heads)
        .u32("llama.attention.head_count_kv", kvHeads)
        .u32("llama.context_length", 2048)
        .f32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .tensor("token_embd.weight", {64, 12}, 1, makePattern(64 * 12 * 2));
    more(writer);
    return writer;
  }
};

llvm::Expected<ModelConfig> parse(const GgufWriter &writer) {
  auto file = readGguf(InputFile::fromMemory("x.gguf", writer.build()));
  return readGgufConfig(llvm::cantFail(std::move(file)));
}

std::string getComplaint(const std::function<void(GgufWriter &)> &more) {
  Keys keys;
  keys.more = more;
  return getMessage(parse(keys.write()));
}

TEST(GgufConfig, ReadsHyperParameters) {
  Keys keys;
  keys.more = [](GgufWriter &writer) {
    writer.f32("llama.rope.freq_base", 500000.0f)
        .u32("llama.rope.dimension_count", 8)
        .u32("llama.vocab_size", 12)
        .u32("tokenizer.ggml.bos_token_id", 1)
        .u32("tokenizer.ggml.eos_token_id", 2)
        .string("llama.rope.scaling.type", "none")
        .u32("llama.expert_count", 0)
        .u32("whatever.else", 1);
  };
  auto config = parse(keys.write());
  ASSERT_TRUE(bool(config)) << getMessage(std::move(config));
  EXPECT_EQ(config->hidden, 64);
  EXPECT_EQ(config->ffn, 172);
  EXPECT_EQ(config->vocab, 12);
  EXPECT_EQ(config->layers, 5);
  EXPECT_EQ(config->heads, 8);
  EXPECT_EQ(config->kvHeads, 4);
  EXPECT_EQ(config->headDim, 8);
  EXPECT_EQ(config->maxSeqLen, 2048);
  EXPECT_EQ(config->normEps, 1e-5);
  EXPECT_EQ(config->ropeTheta, 500000.0);
  EXPECT_TRUE(config->tiedEmbeddings);
  EXPECT_EQ(config->bosToken, 1);
  EXPECT_EQ(config->eosTokens, (std::vector<int64_t>{2}));
}

TEST(GgufConfig, ReadsHeadsThatAreWiderThanTheirShare) {
  Keys keys;
  keys.more = [](GgufWriter &writer) {
    writer.u32("llama.attention.key_length", 32)
        .u32("llama.attention.value_length", 32);
  };
  EXPECT_EQ(llvm::cantFail(parse(keys.write())).headDim, 32);
}

TEST(GgufConfig, AnOutputMatrixUnties) {
  Keys keys;
  keys.more = [](GgufWriter &writer) {
    writer.tensor("output.weight", {64, 12}, 1, makePattern(64 * 12 * 2));
  };
  EXPECT_FALSE(llvm::cantFail(parse(keys.write())).tiedEmbeddings);
}

TEST(GgufConfig, RopeFreqsAreDivisors) {
  Keys keys;
  keys.more = [](GgufWriter &writer) {
    writer.tensor("rope_freqs.weight", {4}, 0,
                  toBytes(1.0f) + toBytes(1.5f) + toBytes(8.0f) +
                      toBytes(32.0f));
  };
  EXPECT_EQ(llvm::cantFail(parse(keys.write())).ropeDivisors,
            (std::vector<double>{1.0, 1.5, 8.0, 32.0}));
}

ModelConfig parseWith(const std::function<void(GgufWriter &)> &more) {
  Keys keys;
  keys.more = more;
  return llvm::cantFail(parse(keys.write()));
}

TEST(GgufConfig, ScalingWithoutATypeIsLinear) {
  for (const char *key :
       {"llama.rope.scaling.factor", "llama.rope.scale_linear"}) {
    ModelConfig config =
        parseWith([&](GgufWriter &writer) { writer.f32(key, 4.0f); });
    ASSERT_TRUE(config.ropeScaling.has_value()) << key;
    EXPECT_EQ(config.ropeScaling->rule, RopeRule::Linear);
    EXPECT_EQ(config.ropeScaling->factor, 4.0);
  }
  ModelConfig none = parseWith([](GgufWriter &writer) {
    writer.string("llama.rope.scaling.type", "none")
        .f32("llama.rope.scaling.factor", 4.0f)
        .f32("llama.rope.scaling.attn_factor", 1.5f);
  });
  EXPECT_FALSE(none.ropeScaling.has_value());
  EXPECT_EQ(none.ropeAttentionFactor, 1.5);
}

TEST(GgufConfig, ReadsYarn) {
  ModelConfig config = parseWith([](GgufWriter &writer) {
    writer.string("llama.rope.scaling.type", "yarn")
        .f32("llama.rope.scaling.factor", 4.0f)
        .f32("llama.rope.scaling.attn_factor", 0.5f)
        .f32("llama.rope.scaling.yarn_beta_fast", 16.0f)
        .u32("llama.rope.scaling.original_context_length", 512);
  });
  ASSERT_TRUE(config.ropeScaling.has_value());
  EXPECT_EQ(config.ropeScaling->rule, RopeRule::Yarn);
  EXPECT_EQ(config.ropeScaling->originalMaxPositions, 512);
  EXPECT_EQ(config.ropeScaling->betaFast, 16.0);
  EXPECT_DOUBLE_EQ(config.ropeAttentionFactor, 0.5 * 1.1386294361119891);
}

TEST(GgufConfig, DivisorsAndKeysBothCount) {
  ModelConfig config = parseWith([](GgufWriter &writer) {
    writer.f32("llama.rope.scaling.factor", 4.0f)
        .tensor("rope_freqs.weight", {4}, 0,
                toBytes(1.0f) + toBytes(1.5f) + toBytes(8.0f) + toBytes(32.0f));
  });
  EXPECT_FALSE(config.ropeScaling.has_value());
  EXPECT_EQ(config.ropeDivisors, (std::vector<double>{4.0, 6.0, 32.0, 128.0}));
}

TEST(GgufConfig, ReadsListsWithAValuePerLayer) {
  GgufWriter writer;
  writer.string("general.architecture", "llama")
      .u32("llama.embedding_length", 64)
      .u32("llama.block_count", 2)
      .numbers<int32_t>("llama.feed_forward_length", 5, {172, 172})
      .numbers<int32_t>("llama.attention.head_count", 5, {8, 8})
      .numbers<int32_t>("llama.attention.head_count_kv", 5, {4, 4})
      .u32("llama.context_length", 2048)
      .u32("llama.vocab_size", 12)
      .f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  ModelConfig config = llvm::cantFail(parse(writer));
  EXPECT_EQ(config.ffn, 172);
  EXPECT_EQ(config.kvHeads, 4);
}

TEST(GgufConfig, RefusesWhatIsNotALlama) {
  Keys keys;
  keys.architecture = "qwen2";
  EXPECT_EQ(getMessage(parse(keys.write())),
            "x.gguf: key 'general.architecture': expected 'llama', found "
            "'qwen2'");
  EXPECT_EQ(getMessage(parse(GgufWriter())),
            "x.gguf: key 'general.architecture': is missing");
  EXPECT_EQ(
      getMessage(parse(GgufWriter().string("general.architecture", "llama"))),
      "x.gguf: key 'llama.embedding_length': is missing");
}

TEST(GgufConfig, RefusesWhatDoesNotDivide) {
  Keys keys;
  keys.heads = 7;
  EXPECT_EQ(getMessage(parse(keys.write())),
            "x.gguf: key 'llama.attention.head_count': is 7, but "
            "llama.embedding_length (64) must be a multiple of it");
  keys.heads = 0;
  EXPECT_EQ(getMessage(parse(keys.write())),
            "x.gguf: key 'llama.attention.head_count': is 0, but "
            "llama.embedding_length (64) must be a multiple of it");
  keys.heads = 8;
  keys.kvHeads = 3;
  EXPECT_EQ(getMessage(parse(keys.write())),
            "x.gguf: heads.kv is 3, but heads.query (8) must be a multiple of "
            "it");
}

TEST(GgufConfig, RefusesKeysThatChangeTheMath) {
  const std::pair<std::function<void(GgufWriter &)>, const char *> cases[] = {
      {[](auto &w) { w.u32("llama.expert_count", 8); },
       "key 'llama.expert_count': mixtures of experts are not supported"},
      {[](auto &w) { w.boolean("llama.attention.causal", false); },
       "key 'llama.attention.causal': only true is supported"},
      {[](auto &w) { w.boolean("llama.use_parallel_residual", true); },
       "key 'llama.use_parallel_residual': only false is supported"},
      {[](auto &w) { w.string("llama.rope.scaling.type", "longrope"); },
       "key 'llama.rope.scaling.type': expected 'none', 'linear' or 'yarn', "
       "found 'longrope'; the scaling of Llama 3 is stored as tensor "
       "rope_freqs.weight"},
      {[](auto &w) { w.f32("llama.rope.scaling.factor", 0.5f); },
       "rope.scaling.factor is 0.5, expected 1 or more"},
      {[](auto &w) { w.f32("llama.rope.scaling.attn_factor", 0.0f); },
       "rope.attention_factor is 0, expected a finite number greater than 0"},
      {[](auto &w) { w.f32("llama.rope.scaling.yarn_ext_factor", 0.0f); },
       "key 'llama.rope.scaling.yarn_ext_factor': is not known"},
      {[](auto &w) { w.string("general.type", "adapter"); },
       "key 'general.type': is 'adapter': a LoRA adapter, not a model; merge "
       "it into its base model first, with llama.cpp's llama-export-lora"},
      {[](auto &w) { w.u32("llama.rope.dimension_count", 4); },
       "key 'llama.rope.dimension_count': is 4, expected 8, the width of a "
       "head"},
      {[](auto &w) { w.u32("llama.attention.value_length", 16); },
       "key 'llama.attention.value_length': is 16, expected 8, the width of a "
       "head"},
      {[](auto &w) { w.f32("llama.logit_scale", 2.0f); },
       "key 'llama.logit_scale': is not known"},
      {[](auto &w) { w.u32("llama.vocab_size", 13); },
       "key 'llama.vocab_size': is 13, but token_embd.weight has 12 rows"},
      {[](auto &w) { w.u32("tokenizer.ggml.eos_token_id", 12); },
       "eos_tokens is 12, expected 0 to 11"},
      {[](auto &w) { w.tensor("rope_freqs.weight", {4}, 1, makePattern(8)); },
       "tensor 'rope_freqs.weight': expected one dimension of f32, found [4] "
       "of f16"},
      {[](auto &w) {
         w.tensor("rope_freqs.weight", {5}, 0,
                  toBytes(1.0f) + toBytes(1.0f) + toBytes(1.0f) +
                      toBytes(1.0f) + toBytes(1.0f));
       },
       "lists 5 divisors of rotary frequencies, expected 4 (half of "
       "heads.dim)"},
      {[](auto &w) {
         w.tensor("rope_freqs.weight", {4}, 0, std::string(16, '\0'));
       },
       "divisor 0 of the rotary frequencies is 0, expected a finite number "
       "greater than 0"},
  };
  for (const auto &[more, message] : cases)
    EXPECT_EQ(getComplaint(more), std::string("x.gguf: ") + message);
}

} // namespace
