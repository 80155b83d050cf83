//===- ModelConfigTest.cpp - Hyper-parameters of a Llama model ------------===//
//
// What validate() refuses, and rotary frequencies against published numbers.
//
//===----------------------------------------------------------------------===//

#include "weights/ModelConfig.h"

#include "test/weights/Messages.h"

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

using namespace llamatest;
using namespace llamaweights;
using Json = nlohmann::ordered_json;

namespace {

ModelConfig makeLlama32() {
  ModelConfig config;
  config.hidden = 2048;
  config.ffn = 8192;
  config.vocab = 128256;
  config.layers = 16;
  config.heads = 32;
  config.kvHeads = 8;
  config.headDim = 64;
  config.maxSeqLen = 131072;
  config.normEps = 1e-5;
  config.ropeTheta = 500000.0;
  config.ropeScaling = RopeScaling{};
  config.tiedEmbeddings = true;
  config.bosToken = 128000;
  config.eosTokens = {128001, 128008, 128009};
  return config;
}

TEST(ModelConfig, AcceptsKnownModels) {
  ModelConfig config = makeLlama32();
  EXPECT_EQ(getMessage(config.validate("x")), "");
  config.hidden = 16384;
  config.ffn = 53248;
  config.layers = 126;
  config.heads = 128;
  config.headDim = 128;
  EXPECT_EQ(getMessage(config.validate("x")), "");
}

TEST(ModelConfig, RefusesEveryFieldOutOfRange) {
  struct Case {
    std::function<void(ModelConfig &)> change;
    const char *message;
  };
  const double nan = std::nan("");
  const Case cases[] = {
      {[](auto &c) { c.hidden = 0; }, "hidden is 0, expected 2 to 1048576"},
      {[](auto &c) { c.hidden = int64_t(1) << 62; },
       "hidden is 4611686018427387904, expected 2 to 1048576"},
      {[](auto &c) { c.ffn = -1; }, "ffn is -1, expected 2 to 1048576"},
      {[](auto &c) { c.vocab = 0; }, "vocab is 0, expected 2 to 16777216"},
      {[](auto &c) { c.layers = 4097; }, "layers is 4097, expected 1 to 4096"},
      {[](auto &c) { c.heads = 0; }, "heads.query is 0, expected 1 to 4096"},
      {[](auto &c) { c.kvHeads = 0; }, "heads.kv is 0, expected 1 to 4096"},
      {[](auto &c) { c.kvHeads = 3; },
       "heads.kv is 3, but heads.query (32) must be a multiple of it"},
      {[](auto &c) { c.headDim = 0; }, "heads.dim is 0, expected 2 to 4096"},
      {[](auto &c) { c.headDim = 63; },
       "heads.dim is 63, expected an even number"},
      {[](auto &c) {
         c.heads = c.kvHeads = 4096;
         c.headDim = 512;
       },
       "heads.query * heads.dim is 2097152, expected 1 to 1048576"},
      {[](auto &c) { c.maxSeqLen = 0; },
       "max_seq_len is 0, expected 1 to 1073741824"},
      {[](auto &c) { c.normEps = 0.0; },
       "norm_eps is 0, expected a finite number greater than 0"},
      {[=](auto &c) { c.normEps = nan; },
       "norm_eps is nan, expected a finite number greater than 0"},
      {[](auto &c) { c.ropeTheta = -1.0; },
       "rope.theta is -1, expected a finite number greater than 0"},
      {[](auto &c) { c.ropeScaling->factor = 0.5; },
       "rope.scaling.factor is 0.5, expected 1 or more"},
      {[](auto &c) {
         c.ropeScaling->factor = std::numeric_limits<double>::infinity();
       },
       "rope.scaling.factor is inf, expected a finite number greater than 0"},
      {[](auto &c) { c.ropeScaling->lowFreqFactor = 4.0; },
       "rope.scaling.low_freq_factor is 4, expected less than "
       "rope.scaling.high_freq_factor (4)"},
      {[](auto &c) { c.ropeScaling->originalMaxPositions = 0; },
       "rope.scaling.original_max_positions is 0, expected 1 to 1073741824"},
      {[](auto &c) { c.ropeDivisors.assign(32, 1.0); },
       "has both a rule for scaling rotary frequencies and a list of their "
       "divisors, expected one of them"},
      {[](auto &c) {
         c.ropeScaling.reset();
         c.ropeDivisors.assign(31, 1.0);
       },
       "lists 31 divisors of rotary frequencies, expected 32 (half of "
       "heads.dim)"},
      {[](auto &c) {
         c.ropeScaling.reset();
         c.ropeDivisors.assign(32, 1.0);
         c.ropeDivisors[7] = 0.0;
       },
       "divisor 7 of the rotary frequencies is 0, expected a finite number "
       "greater than 0"},
      {[](auto &c) { c.bosToken = 128256; },
       "bos_token is 128256, expected 0 to 128255"},
      {[](auto &c) { c.eosTokens.push_back(-2); },
       "eos_tokens is -2, expected 0 to 128255"},
      {[](auto &c) {
         c.tiedEmbeddings = false;
         c.outputTokens = {3, 128256};
       },
       "output_tokens is 128256, expected 0 to 128255"},
      {[](auto &c) {
         c.tiedEmbeddings = false;
         c.outputTokens = {1, std::numeric_limits<int64_t>::max()};
       },
       "output_tokens is 9223372036854775807, expected 0 to 128255"},
      {[](auto &c) {
         c.tiedEmbeddings = false;
         c.outputTokens = {3};
       },
       "output_tokens has one token, expected two or more"},
      {[](auto &c) {
         c.tiedEmbeddings = false;
         c.outputTokens = {3, 7, 3};
       },
       "output_tokens has 3 twice"},
      {[](auto &c) {
         c.outputTokens = {3, 7};
         c.tiedEmbeddings = true;
       },
       "has output_tokens, but its output matrix is the embedding: expected "
       "tied_embeddings false"},
  };
  for (const Case &c : cases) {
    ModelConfig config = makeLlama32();
    c.change(config);
    EXPECT_EQ(getMessage(config.validate("model.json")),
              std::string("model.json: ") + c.message);
  }
}

TEST(ModelConfig, FrequenciesWithoutScalingArePowers) {
  ModelConfig config = makeLlama32();
  config.ropeScaling.reset();
  config.ropeTheta = 10000.0;
  config.headDim = 8;
  std::vector<double> frequencies = config.getRopeFrequencies();
  ASSERT_EQ(frequencies.size(), 4u);
  for (int i = 0; i < 4; ++i) // 10000^(-2i/8) = 10^-i
    EXPECT_DOUBLE_EQ(frequencies[size_t(i)], std::pow(10.0, -i));
}

/// With heads of 64, theta 5e5 and original length 8192: indices 0..14 are
/// untouched, 15..17 blended, 18..31 divided. The blend ratios are published to
/// six digits.
TEST(ModelConfig, FrequenciesFollowTheRuleOfLlama31) {
  for (auto [factor, ratios] :
       {std::pair(32.0, std::array{0.605573, 0.303743, 0.103448}),
        std::pair(8.0, std::array{0.643743, 0.371122, 0.190211})}) {
    ModelConfig config = makeLlama32();
    config.ropeScaling->factor = factor;
    std::vector<double> scaled = config.getRopeFrequencies();
    config.ropeScaling.reset();
    std::vector<double> plain = config.getRopeFrequencies();
    for (size_t i = 0; i < 32; ++i) {
      if (i < 15)
        EXPECT_EQ(scaled[i], plain[i]) << i;
      else if (i < 18)
        EXPECT_NEAR(scaled[i] / plain[i], ratios[i - 15], 5e-7) << i;
      else
        EXPECT_EQ(scaled[i], plain[i] / factor) << i;
    }
  }
}

TEST(ModelConfig, DivisorsDivide) {
  ModelConfig config = makeLlama32();
  config.ropeScaling.reset();
  std::vector<double> plain = config.getRopeFrequencies();
  for (int i = 0; i < 32; ++i)
    config.ropeDivisors.push_back(1.0 + i);
  std::vector<double> divided = config.getRopeFrequencies();
  for (size_t i = 0; i < 32; ++i)
    EXPECT_EQ(divided[i], plain[i] / double(i + 1)) << i;
}

TEST(ModelConfig, IsStatedAsInModelJson) {
  EXPECT_EQ(makeLlama32().toJson().dump(),
            R"({"hidden":2048,"ffn":8192,"vocab":128256,"layers":16,)"
            R"("heads":{"query":32,"kv":8,"dim":64},"norm_eps":1e-05,)"
            R"("rope":{"theta":500000.0,"scaling":{"type":"llama3",)"
            R"("factor":32.0,)"
            R"("low_freq_factor":1.0,"high_freq_factor":4.0,)"
            R"("original_max_positions":8192}},"max_seq_len":131072,)"
            R"("tied_embeddings":true,"output_tokens":null,"bos_token":128000,)"
            R"("eos_tokens":[128001,128008,128009]})");
  ModelConfig plain;
  plain.ropeDivisors = {1.0, 2.0};
  plain.outputTokens = {7, 3};
  Json json = plain.toJson();
  EXPECT_EQ(json["rope"].dump(),
            R"({"theta":0.0,"scaling":null,"divisors":[1.0,2.0]})");
  EXPECT_EQ(json["output_tokens"].dump(), "[7,3]");
  EXPECT_TRUE(json["bos_token"].is_null());
}

} // namespace
