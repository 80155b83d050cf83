//===- NanotronConfigTest.cpp - model_config.json -------------------------===//
//
// Keys that config.json does not have.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/NanotronConfig.h"

#include "test/weights/Messages.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

TEST(NanotronConfig, IsHuggingFacesWithMore) {
  std::string common =
      R"({"hidden_size": 64, "intermediate_size": 172, "vocab_size": 512,
          "num_hidden_layers": 5, "num_attention_heads": 8,
          "is_llama_config": true, "z_loss_enabled": false)";
  RowOrder order = RowOrder::HalfSplit;
  auto parse = [&](const std::string &more) {
    return getMessage(parseNanotronConfig(common + more + "}", "c", order));
  };
  EXPECT_EQ(parse(R"(, "rope_interleaved": true)"), "");
  EXPECT_EQ(order, RowOrder::Interleaved);
  EXPECT_EQ(parse(""), "");
  EXPECT_EQ(order, RowOrder::HalfSplit);
  EXPECT_EQ(parse(R"(, "no_rope_layer": 4)"),
            "c: key 'no_rope_layer': only null is supported");
  EXPECT_EQ(parse(R"(, "hidden_act": "gelu")"),
            "c: key 'hidden_act': expected 'silu' or 'swish', found 'gelu'");
}

} // namespace
