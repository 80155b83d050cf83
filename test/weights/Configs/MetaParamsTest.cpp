//===- MetaParamsTest.cpp - Meta's params.json ----------------------------===//
//
// Published parameters and the widths they lead to, what the stored shapes
// decide, and every refusal.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/MetaParams.h"

#include "test/weights/Messages.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

const char *const kLlama32 =
    R"({"dim": 2048, "n_layers": 16, "n_heads": 32, "n_kv_heads": 8,
        "vocab_size": 128256, "ffn_dim_multiplier": 1.5, "multiple_of": 256,
        "norm_eps": 1e-05, "rope_theta": 500000.0, "use_scaled_rope": true})";
const char *const kLlama2 =
    R"({"dim": 4096, "multiple_of": 256, "n_heads": 32, "n_layers": 32,
        "norm_eps": 1e-05, "vocab_size": -1})";

llvm::Expected<ModelConfig> parse(const char *text, MetaShapes shapes = {}) {
  return parseMetaParams(text, "params.json", shapes);
}

/// 3.2 1B and 3B, 3.1 8B, 70B, 405B, Llama 2 7B: dim, multiplier, multiple and
/// the published width.
TEST(MetaParams, FollowsTheRuleForTheWidth) {
  EXPECT_EQ(getMetaFfn(2048, 1.5, 256), 8192);
  EXPECT_EQ(getMetaFfn(3072, 1.0, 256), 8192);
  EXPECT_EQ(getMetaFfn(4096, 1.3, 1024), 14336);
  EXPECT_EQ(getMetaFfn(8192, 1.3, 4096), 28672);
  EXPECT_EQ(getMetaFfn(16384, 1.2, 4096), 53248);
  EXPECT_EQ(getMetaFfn(4096, 1.0, 256), 11008);
  // The steps before rounding up: int(16384 / 3), then int(1.5 * 5461).
  EXPECT_EQ(getMetaFfn(2048, 1.0, 1), 5461);
  EXPECT_EQ(getMetaFfn(2048, 1.5, 1), 8191);
}

TEST(MetaParams, ReadsLlama32) {
  auto config = parse(kLlama32);
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
  EXPECT_TRUE(config->tiedEmbeddings);
}

TEST(MetaParams, ScalesByTheGeneration) {
  auto factor = [](int dim, int layers) {
    std::string text = "{\"dim\": " + std::to_string(dim) +
                       ", \"n_layers\": " + std::to_string(layers) +
                       ", \"n_heads\": 32, \"vocab_size\": 128256, "
                       "\"use_scaled_rope\": true}";
    return llvm::cantFail(parse(text.c_str())).ropeScaling->factor;
  };
  EXPECT_EQ(factor(2048, 16), 32.0);
  EXPECT_EQ(factor(3072, 28), 32.0);
  EXPECT_EQ(factor(4096, 32), 8.0);
  EXPECT_EQ(factor(2048, 12), 8.0);
}

TEST(MetaParams, SaysWhichFactorItTook) {
  ModelConfig config = llvm::cantFail(parse(kLlama32));
  EXPECT_EQ(config.remarks,
            (std::vector<std::string>{
                "params.json: says use_scaled_rope, but not by how much: taken "
                "as 32; rope_scaling_factor states another factor"}));
  std::string stated = kLlama32;
  stated.replace(stated.rfind('}'), 1, ", \"rope_scaling_factor\": 16}");
  config = llvm::cantFail(parse(stated.c_str()));
  EXPECT_EQ(config.ropeScaling->factor, 16.0);
  EXPECT_TRUE(config.remarks.empty());
}

TEST(MetaParams, ReadsOtherRules) {
  const char *text = R"({"dim": 64, "n_layers": 1, "n_heads": 8,
    "vocab_size": 512, "rope_scaling_type": "yarn", "rope_scaling_factor": 4,
    "rope_original_max_positions": 512, "rope_attention_factor": 0.75})";
  ModelConfig config = llvm::cantFail(parse(text));
  EXPECT_EQ(config.ropeScaling->rule, RopeRule::Yarn);
  EXPECT_EQ(config.ropeScaling->originalMaxPositions, 512);
  EXPECT_EQ(config.ropeAttentionFactor, 0.75);
  EXPECT_EQ(config.maxSeqLen, 4096);
}

TEST(MetaParams, ReadsLlama2) {
  MetaShapes shapes;
  shapes.vocab = 32000;
  shapes.ffn = 11008;
  shapes.hasOutput = true;
  auto config = parse(kLlama2, shapes);
  ASSERT_TRUE(bool(config)) << getMessage(std::move(config));
  EXPECT_EQ(config->vocab, 32000);
  EXPECT_EQ(config->kvHeads, 32);
  EXPECT_EQ(config->ffn, 11008);
  EXPECT_EQ(config->ropeTheta, 10000.0);
  EXPECT_EQ(config->maxSeqLen, 4096);
  EXPECT_FALSE(config->ropeScaling.has_value());
  EXPECT_FALSE(config->tiedEmbeddings);
}

TEST(MetaParams, StoredWidthWinsOverTheRule) {
  MetaShapes shapes;
  shapes.ffn = 5632;
  EXPECT_EQ(llvm::cantFail(parse(kLlama32, shapes)).ffn, 5632);
}

TEST(MetaParams, StatedSizesMustMatchTheTensors) {
  const char *text = R"({"dim": 64, "n_layers": 1, "n_heads": 8,
                         "vocab_size": 512, "hidden_dim": 172})";
  MetaShapes shapes;
  shapes.ffn = 172;
  EXPECT_EQ(llvm::cantFail(parse(text, shapes)).ffn, 172);
  EXPECT_EQ(llvm::cantFail(parse(text)).ffn, 172);
  shapes.ffn = 176;
  EXPECT_EQ(getMessage(parse(text, shapes)),
            "params.json: key 'hidden_dim': is 172, but feed_forward.w1 has "
            "176 rows");
  shapes.ffn = 172;
  shapes.vocab = 500;
  EXPECT_EQ(getMessage(parse(text, shapes)),
            "params.json: key 'vocab_size': is 512, but tok_embeddings has 500 "
            "rows");
}

TEST(MetaParams, RefusesWhatItCannotKnow) {
  const std::pair<const char *, const char *> cases[] = {
      {"[]", "expected an object, found an array"},
      {R"({"n_layers": 1, "n_heads": 8})", "key 'dim': is missing"},
      {R"({"dim": 64, "n_heads": 8})", "key 'n_layers': is missing"},
      {R"({"dim": 64, "n_layers": 1})", "key 'n_heads': is missing"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8, "n_kv_head": 4})",
       "key 'n_kv_head': is not known; did you mean 'n_kv_heads'?"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8,
           "quantization_args": {"group_size": 32}})",
       "key 'quantization_args': quantized checkpoints of Meta's are not "
       "supported"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8, "lora_args": {"rank": 16}})",
       "key 'lora_args': quantized checkpoints of Meta's are not supported"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8,
           "rope_scaling_type": "dynamic"})",
       "key 'rope_scaling_type': expected 'linear', 'llama3' or 'yarn', found "
       "'dynamic'"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8,
           "rope_scaling_type": "linear"})",
       "key 'rope_scaling_factor': is missing"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8, "use_scaled_rope": true,
           "rope_scaling_type": "linear", "rope_scaling_factor": 2})",
       "key 'rope_scaling_type': is 'linear', but use_scaled_rope is true, "
       "which means 'llama3'"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8, "moe": {}})",
       "key 'moe': mixtures of experts are not supported"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 7, "vocab_size": 9})",
       "key 'n_heads': is 7, but dim (64) must be a multiple of it"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8, "multiple_of": 0})",
       "key 'multiple_of': is 0, expected 1 to 1048576"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8, "ffn_dim_multiplier": -1})",
       "key 'ffn_dim_multiplier': expected a number greater than 0 and at most "
       "64"},
      {R"({"dim": 9223372036854775807, "n_layers": 1, "n_heads": 8})",
       "key 'dim': is 9223372036854775807, expected 1 to 1048576"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8})",
       "vocab is -1, expected 2 to 16777216"},
      {R"({"dim": 64, "n_layers": 1, "n_heads": 8, "n_kv_heads": 3,
           "vocab_size": 9})",
       "heads.kv is 3, but heads.query (8) must be a multiple of it"},
  };
  for (auto [text, message] : cases)
    EXPECT_EQ(getMessage(parse(text)), std::string("params.json: ") + message);
}

} // namespace
