//===- TensorNamesTest.cpp - What a Llama's tensors are called ------------===//
//
// The published names of one layer in each naming, and the number of values of
// published models.
//
//===----------------------------------------------------------------------===//

#include "weights/TensorNames.h"

#include <gtest/gtest.h>

using namespace llamaweights;

namespace {

TEST(TensorNames, AreThoseOfEachFormat) {
  struct Row {
    const char *canonical, *huggingFace, *gguf;
  };
  const Row rows[] = {
      {"tok_embeddings", "model.embed_tokens.weight", "token_embd.weight"},
      {"norm", "model.norm.weight", "output_norm.weight"},
      {"output", "lm_head.weight", "output.weight"},
      {"layers.12.attention_norm", "model.layers.12.input_layernorm.weight",
       "blk.12.attn_norm.weight"},
      {"layers.0.attention.wq", "model.layers.0.self_attn.q_proj.weight",
       "blk.0.attn_q.weight"},
      {"layers.0.attention.wk", "model.layers.0.self_attn.k_proj.weight",
       "blk.0.attn_k.weight"},
      {"layers.0.attention.wv", "model.layers.0.self_attn.v_proj.weight",
       "blk.0.attn_v.weight"},
      {"layers.0.attention.wo", "model.layers.0.self_attn.o_proj.weight",
       "blk.0.attn_output.weight"},
      {"layers.0.ffn_norm", "model.layers.0.post_attention_layernorm.weight",
       "blk.0.ffn_norm.weight"},
      {"layers.0.feed_forward.w1", "model.layers.0.mlp.gate_proj.weight",
       "blk.0.ffn_gate.weight"},
      {"layers.0.feed_forward.w2", "model.layers.0.mlp.down_proj.weight",
       "blk.0.ffn_down.weight"},
      {"layers.0.feed_forward.w3", "model.layers.0.mlp.up_proj.weight",
       "blk.0.ffn_up.weight"},
  };
  for (const Row &row : rows) {
    EXPECT_EQ(getSourceName(row.canonical, Naming::HuggingFace),
              row.huggingFace);
    EXPECT_EQ(getSourceName(row.canonical, Naming::Gguf), row.gguf);
    EXPECT_EQ(getSourceName(row.canonical, Naming::Meta),
              std::string(row.canonical) + ".weight");
  }
}

int64_t countValues(const ModelConfig &config) {
  int64_t values = 0;
  for (const ExpectedTensor &tensor : getExpectedTensors(config)) {
    int64_t size = 1;
    for (int64_t dim : tensor.shape)
      size *= dim;
    values += size;
  }
  return values;
}

TEST(TensorNames, AddUpToPublishedCounts) {
  ModelConfig config; // Llama 3.2 1B
  config.hidden = 2048;
  config.ffn = 8192;
  config.vocab = 128256;
  config.layers = 16;
  config.heads = 32;
  config.kvHeads = 8;
  config.headDim = 64;
  config.tiedEmbeddings = true;
  EXPECT_EQ(countValues(config), 1235814400);
  EXPECT_EQ(getExpectedTensors(config).size(), 146u);
  config.tiedEmbeddings = false;
  EXPECT_EQ(countValues(config), 1498482688);
  EXPECT_EQ(getExpectedTensors(config).size(), 147u);
  config.hidden = 3072; // 3B
  config.layers = 28;
  config.heads = 24;
  config.headDim = 128;
  config.tiedEmbeddings = true;
  EXPECT_EQ(countValues(config), 3212749824);
}

TEST(TensorNames, WrappersAreDropped) {
  auto hf = Naming::HuggingFace;
  for (const char *name :
       {"model.embed_tokens.weight", "embed_tokens.weight",
        "module.model.embed_tokens.weight", "_orig_mod.embed_tokens.weight",
        "module._orig_mod.model.embed_tokens.weight",
        "base_model.model.model.embed_tokens.weight"})
    EXPECT_EQ(getPlainName(name, hf), "model.embed_tokens.weight") << name;
  EXPECT_EQ(getPlainName("norm.weight", hf), "model.norm.weight");
  EXPECT_EQ(getPlainName("layers.0.x", hf), "model.layers.0.x");
  EXPECT_EQ(getPlainName("module.lm_head.weight", hf), "lm_head.weight");
  EXPECT_EQ(getPlainName("module.norm.weight", Naming::Meta), "norm.weight");
  EXPECT_EQ(getPlainName("other.norm.weight", hf), "other.norm.weight");
}

TEST(TensorNames, FrequencyTablesAreDerived) {
  auto hf = Naming::HuggingFace;
  EXPECT_TRUE(
      isDerivedTensor("model.layers.3.self_attn.rotary_emb.inv_freq", hf));
  EXPECT_TRUE(isDerivedTensor("model.rotary_emb.inv_freq", hf));
  EXPECT_FALSE(isDerivedTensor("model.layers.3.self_attn.q_proj.bias", hf));
  EXPECT_TRUE(isDerivedTensor("rope.freqs", Naming::Meta));
  EXPECT_FALSE(isDerivedTensor("rope.freqs", hf));
  EXPECT_TRUE(isDerivedTensor("rope_freqs.weight", Naming::Gguf));
  EXPECT_FALSE(isDerivedTensor("blk.0.attn_q.bias", Naming::Gguf));
}

} // namespace
