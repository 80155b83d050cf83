//===- ModelInfoTest.cpp - The JSON of a model.so, good and bad -----------===//

#include "runtime/abi/ModelInfo.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace llamart;
using nlohmann::json;

namespace {

json makeInfo() {
  return json::parse(R"({
    "name": "tiny", "hidden": 64, "ffn": 172, "vocab": 512, "layers": 5,
    "heads": {"query": 8, "kv": 4, "dim": 8}, "max_seq_len": 2048,
    "bos_token": 1, "eos_tokens": [2, 7], "activations": "bf16",
    "kv_type": "f32",
    "target": {"triple": "x86_64-linux-gnu", "cpu": "znver4",
               "features": ["avx2", "fma"],
               "steps": [{"name": "linear", "bytes": 64, "row_bytes": 4,
                          "multiplies": 32, "rows": "generated_rows",
                          "cache": true}],
               "others": [{"cpu": "x86-64", "features": [], "steps": [],
                           "forward": "forward_1",
                           "workspace": "workspace_1"}]},
    "weights": {"storage": "external", "file": "tiny.weights",
                "bytes": 5000000000, "tensors": []},
    "chat_template": "{{ messages }}", "compiler": "llama-compile 0.1.0"})");
}

/// The message after `change` was made to a good text.
template <typename Change>
std::string getErrorAfter(Change change) {
  json info = makeInfo();
  change(info);
  try {
    ModelInfo::parse("model.so", info.dump());
  } catch (const Error &error) {
    EXPECT_EQ(error.getKind(), ErrorKind::Model);
    return error.what();
  }
  return "";
}

TEST(ModelInfo, IsReadAsItIsWritten) {
  ModelInfo info = ModelInfo::parse("model.so", makeInfo().dump());
  EXPECT_EQ(info.name, "tiny");
  EXPECT_EQ(info.hidden, 64);
  EXPECT_EQ(info.ffn, 172);
  EXPECT_EQ(info.vocab, 512);
  EXPECT_EQ(info.layers, 5);
  EXPECT_EQ(info.heads, 8);
  EXPECT_EQ(info.kvHeads, 4);
  EXPECT_EQ(info.headDim, 8);
  EXPECT_EQ(info.maxSeqLen, 2048);
  EXPECT_EQ(info.bosToken, 1);
  EXPECT_EQ(info.eosTokens, (std::vector<int32_t>{2, 7}));
  EXPECT_EQ(info.activations, "bf16");
  EXPECT_EQ(info.kvType, "f32");
  EXPECT_EQ(info.triple, "x86_64-linux-gnu");
  ASSERT_EQ(info.variants.size(), 2u);
  EXPECT_EQ(info.variants[0].cpu, "znver4");
  EXPECT_EQ(info.variants[0].features,
            (std::vector<std::string>{"avx2", "fma"}));
  EXPECT_EQ(info.variants[0].forward, "llama_forward");
  ASSERT_EQ(info.variants[0].phases.size(), 1u);
  const Phase &phase = info.variants[0].phases[0];
  EXPECT_EQ(phase.name, "linear");
  EXPECT_EQ(phase.bytes, 64);
  EXPECT_EQ(phase.rowBytes, 4);
  EXPECT_EQ(phase.multiplies, 32);
  EXPECT_EQ(phase.rows, PhaseRows::Decode);
  EXPECT_TRUE(phase.readsCache);
  EXPECT_TRUE(info.variants[1].phases.empty());
  EXPECT_EQ(info.variants[1].cpu, "x86-64");
  EXPECT_EQ(info.variants[1].features, std::vector<std::string>());
  EXPECT_EQ(info.variants[1].forward, "forward_1");
  EXPECT_EQ(info.variants[1].workspace, "workspace_1");
  EXPECT_EQ(info.storage, WeightStorage::External);
  EXPECT_EQ(info.weightsFile, "tiny.weights");
  EXPECT_EQ(info.weightsBytes, 5000000000u);
  EXPECT_EQ(info.chatTemplate, "{{ messages }}");
  EXPECT_EQ(info.compiler, "llama-compile 0.1.0");
}

TEST(ModelInfo, MayHaveNoBosToken) {
  json info = makeInfo();
  info["bos_token"] = nullptr;
  EXPECT_FALSE(ModelInfo::parse("model.so", info.dump()).bosToken);
}

TEST(ModelInfo, MayHoldKeysOfLaterCompilers) {
  EXPECT_EQ(getErrorAfter([](json &info) { info["hat"] = "red"; }), "");
}

TEST(ModelInfo, MustHaveEveryKey) {
  const json whole = makeInfo();
  for (const auto &[key, value] : whole.items())
    EXPECT_EQ(getErrorAfter([&](json &info) { info.erase(key); }),
              "model.so: llama_info: " + key + " is missing");
  EXPECT_EQ(getErrorAfter([](json &info) { info["heads"].erase("kv"); }),
            "model.so: llama_info: heads.kv is missing");
}

TEST(ModelInfo, MustHaveTheRightTypes) {
  auto expect = [](auto change, const std::string &message) {
    EXPECT_EQ(getErrorAfter(change), "model.so: llama_info: " + message);
  };
  expect([](json &i) { i["name"] = 3; }, "name is not a string");
  expect([](json &i) { i["vocab"] = "x"; }, "vocab is not a whole number");
  expect([](json &i) { i["vocab"] = 1.5; }, "vocab is not a whole number");
  expect([](json &i) { i["heads"] = 8; }, "heads is not an object");
  expect([](json &i) { i["eos_tokens"] = 2; }, "eos_tokens is not a list");
  expect([](json &i) { i["eos_tokens"] = {"x"}; },
         "eos_tokens holds something that is not a whole number");
  expect([](json &i) { i["target"]["features"] = {1}; },
         "target.features holds something that is not a string");
  expect([](json &i) { i["target"]["steps"][0]["cache"] = 1; },
         "target.steps.cache is not true or false");
  expect([](json &i) { i["target"]["steps"][0] = 1; },
         "target.steps is not an object");
  expect([](json &i) { i["target"]["others"][0].erase("steps"); },
         "target.others.steps is missing");
  expect([](json &i) { i = json::array(); }, "the text is not an object");
}

TEST(ModelInfo, MustHaveValuesInRange) {
  auto expect = [](auto change, const std::string &message) {
    EXPECT_EQ(getErrorAfter(change), "model.so: llama_info: " + message);
  };
  expect([](json &i) { i["layers"] = 0; },
         "layers is 0, expected 1 to 2147483647");
  expect([](json &i) { i["vocab"] = 3000000000; },
         "vocab is 3000000000, expected 1 to 2147483647");
  expect([](json &i) { i["vocab"] = 18446744073709551615u; },
         "vocab is 18446744073709551615, expected 1 to 2147483647");
  expect([](json &i) { i["bos_token"] = 512; },
         "bos_token is 512, expected 0 to 511");
  expect([](json &i) { i["eos_tokens"] = {-1}; },
         "eos_tokens is -1, expected 0 to 511");
  expect([](json &i) { i["weights"]["bytes"] = 0; },
         "weights.bytes is 0, expected 1 to 9223372036854775807");
  expect([](json &i) { i["target"]["steps"][0]["bytes"] = -1; },
         "target.steps.bytes is -1, expected 0 to 9223372036854775807");
  expect([](json &i) { i["target"]["steps"][0]["rows"] = "cows"; },
         "target.steps.rows is 'cows', expected 'rows', 'prompt_rows', "
         "'generated_rows' or 'logit_rows'");
  expect([](json &i) { i["weights"]["storage"] = "cloud"; },
         "weights.storage is 'cloud', expected 'embed' or 'external'");
}

TEST(ModelInfo, MayNotNameAFileElsewhere) {
  for (const char *name : {"", "..", "../x", "/etc/passwd", "a/b"})
    EXPECT_EQ(getErrorAfter([&](json &i) { i["weights"]["file"] = name; }),
              std::string("model.so: llama_info: weights.file is '") + name +
                  "', expected the name of a file beside the model");
}

TEST(ModelInfo, MustBeJson) {
  EXPECT_THROW(ModelInfo::parse("model.so", "{\"name\": "), Error);
  EXPECT_THROW(ModelInfo::parse("model.so", ""), Error);
}

} // namespace
