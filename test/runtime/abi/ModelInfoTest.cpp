//===- ModelInfoTest.cpp - The JSON of a model.so, good and bad -----------===//

#include "runtime/abi/ModelInfo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace llamaabi;
using json = nlohmann::ordered_json;

namespace {

/// In the order in which it is written.
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
                "bytes": 5000000000, "tensors": [
                  {"name": "norm", "dtype": "f32", "layout": "rows",
                   "shape": [60], "offset": 4999999760, "bytes": 240},
                  {"name": "layers.0.feed_forward.w2", "dtype": "int8g64",
                   "layout": "panels16", "shape": [2, 60], "offset": 0,
                   "bytes": 1056, "rotated": true}]},
    "chat_template": "{{ messages }}", "compiler": "llama-compile 0.1.0"})");
}

ModelInfo parse(const json &text) {
  ModelInfo info;
  EXPECT_EQ(parseModelInfo(text.dump(), info), "");
  return info;
}

/// The message after `change` was made to a good text.
template <typename Change>
std::string getErrorAfter(Change change) {
  json text = makeInfo();
  change(text);
  ModelInfo info;
  return parseModelInfo(text.dump(), info);
}

/// The same of its second tensor, which is called 't'.
template <typename Change>
std::string getTensorErrorAfter(Change change) {
  return getErrorAfter([&](json &info) {
    json &tensor = info["weights"]["tensors"][1];
    tensor["name"] = "t";
    change(tensor);
  });
}

TEST(ModelInfo, IsReadAsItIsWritten) {
  ModelInfo info = parse(makeInfo());
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
  ASSERT_EQ(info.tensors.size(), 2u);
  const TensorEntry &tensor = info.tensors[1];
  EXPECT_EQ(tensor.name, "layers.0.feed_forward.w2");
  EXPECT_EQ(tensor.dtype, ElementFormat::getInteger(8, 64));
  EXPECT_EQ(tensor.layout, TensorLayout::Panels16);
  EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 60}));
  EXPECT_EQ(tensor.offset, 0);
  EXPECT_EQ(tensor.bytes, 1056);
  EXPECT_TRUE(tensor.isRotated);
  EXPECT_FALSE(info.tensors[0].isRotated);
  EXPECT_EQ(info.chatTemplate, "{{ messages }}");
  EXPECT_EQ(info.compiler, "llama-compile 0.1.0");
}

TEST(ModelInfo, IsWrittenAsItIsRead) {
  json text = makeInfo();
  EXPECT_EQ(toJson(parse(text)), text.dump());
  text["weights"]["storage"] = "embed";
  text["weights"]["file"] = "";
  text["bos_token"] = nullptr;
  for (PhaseRows rows : {PhaseRows::All, PhaseRows::Prefill, PhaseRows::Decode,
                         PhaseRows::Logits}) {
    text["target"]["steps"][0]["rows"] = getName(rows);
    EXPECT_EQ(parse(text).variants[0].phases[0].rows, rows);
    EXPECT_EQ(toJson(parse(text)), text.dump());
  }
}

TEST(ModelInfo, SaysMoreOfItsCodeIfItIsKnown) {
  json text = makeInfo();
  ModelInfo before = parse(text);
  EXPECT_FALSE(before.variants[0].hasRowsAlike);
  EXPECT_EQ(before.variants[0].stackBytes, 0);
  EXPECT_EQ(before.fingerprint, "");
  text["target"]["rows_alike"] = true;
  text["target"]["stack_bytes"] = 20000;
  text["target"]["others"][0]["stack_bytes"] = 10000;
  text["fingerprint"] = std::string(64, 'a');
  ModelInfo info = parse(text);
  EXPECT_TRUE(info.variants[0].hasRowsAlike);
  EXPECT_FALSE(info.variants[1].hasRowsAlike);
  EXPECT_EQ(info.variants[0].stackBytes, 20000);
  EXPECT_EQ(info.variants[1].stackBytes, 10000);
  EXPECT_EQ(info.fingerprint, std::string(64, 'a'));
  // Keys of objects in whatever order.
  EXPECT_EQ(nlohmann::json::parse(toJson(info)),
            nlohmann::json::parse(text.dump()));
  text["fingerprint"] = std::string(63, 'a') + "G";
  EXPECT_EQ(parseModelInfo(text.dump(), info),
            "fingerprint is '" + std::string(63, 'a') +
                "G', expected 64 hexadecimal digits");
}

TEST(ModelInfo, HasWhatElseChatsNeedIfThereIsAny) {
  json text = makeInfo();
  EXPECT_TRUE(parse(text).chatTemplates.empty());
  EXPECT_TRUE(parse(text).specialTokens.empty());
  EXPECT_EQ(parse(text).chatProblem, "");
  text["chat_templates"] = {{"short", "{{ s }}"}, {"tool_use", "{{ t }}"}};
  text["special_tokens"] = {{"unk_token", "<unk>"}};
  text["chat_problem"] = "line 1";
  ModelInfo info = parse(text);
  ASSERT_EQ(info.chatTemplates.size(), 2U);
  EXPECT_EQ(info.chatTemplates[1].name, "tool_use");
  EXPECT_EQ(info.chatTemplates[1].text, "{{ t }}");
  ASSERT_EQ(info.specialTokens.size(), 1U);
  EXPECT_EQ(info.specialTokens[0].text, "<unk>");
  EXPECT_EQ(info.chatProblem, "line 1");
  EXPECT_EQ(json::parse(toJson(info)), json::parse(text.dump()));
}

TEST(ModelInfo, IsWrittenInUtf8) {
  ModelInfo info = parse(makeInfo());
  info.chatTemplate = "a\xff";
  EXPECT_EQ(parse(json::parse(toJson(info))).chatTemplate, "a\xEF\xBF\xBD");
}

TEST(ModelInfo, MayHaveNoBosToken) {
  json info = makeInfo();
  info["bos_token"] = nullptr;
  EXPECT_FALSE(parse(info).bosToken);
}

TEST(ModelInfo, MayHoldKeysOfLaterCompilers) {
  EXPECT_EQ(getErrorAfter([](json &info) { info["hat"] = "red"; }), "");
}

TEST(ModelInfo, MustHaveEveryKey) {
  const json whole = makeInfo();
  for (const auto &[key, value] : whole.items())
    EXPECT_EQ(getErrorAfter([&](json &info) { info.erase(key); }),
              key + " is missing");
  EXPECT_EQ(getErrorAfter([](json &info) { info["heads"].erase("kv"); }),
            "heads.kv is missing");
}

TEST(ModelInfo, MustHaveTheRightTypes) {
  auto expect = [](auto change, const std::string &message) {
    EXPECT_EQ(getErrorAfter(change), message);
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
    EXPECT_EQ(getErrorAfter(change), message);
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
              std::string("weights.file is '") + name +
                  "', expected the name of a file beside the model");
}

TEST(ModelInfo, MustListTensorsThatCanBe) {
  const std::string kinds = ", expected f32, f16, bf16, or integers as in "
                            "'int8g128' or 'int4g32'";
  for (const char *type :
       {"i8", "int8", "int8g", "int8g48", "int2g32", "int8g64x", "int8g64mm",
        "m", "int08g064g", "int-8g64", ""})
    EXPECT_EQ(getTensorErrorAfter([&](json &t) { t["dtype"] = type; }),
              std::string("tensor 't': is of type '") + type + "'" + kinds);
  for (const char *layout : {"rows", "tiles", "panels"})
    EXPECT_EQ(getTensorErrorAfter([&](json &t) { t["layout"] = layout; }),
              std::string("tensor 't': has layout '") + layout +
                  "', expected 'panels16', or 'rows' of floating point");
  for (const json &shape : {json({60}), json({2, 0}), json({-1, 60}),
                            json({1, 2, 60}), json({1, int64_t(1) << 40})})
    EXPECT_NE(getTensorErrorAfter([&](json &t) {
                t["shape"] = shape;
              }).find("expected one or two dimensions that a file can hold"),
              std::string::npos);
  EXPECT_EQ(getTensorErrorAfter([](json &t) { t["bytes"] = 1055; }),
            "tensor 't': is [2, 60] of int8g64 in 1055 bytes, expected 1056");
  for (int64_t offset : {int64_t(4999998945), int64_t(-1)})
    EXPECT_EQ(getTensorErrorAfter([&](json &t) { t["offset"] = offset; }),
              "tensor 't': has 1056 bytes at byte " + std::to_string(offset) +
                  " of the block, which has 5000000000 bytes");
  for (const char *key :
       {"name", "dtype", "layout", "shape", "offset", "bytes"})
    EXPECT_EQ(getTensorErrorAfter([&](json &t) { t.erase(key); }),
              std::string("weights.tensors.") + key + " is missing");
  EXPECT_EQ(getTensorErrorAfter([](json &t) { t["rotated"] = 1; }),
            "weights.tensors.rotated is not true or false");
}

TEST(ModelInfo, IsQuotedInOneLine) {
  std::string message =
      getTensorErrorAfter([](json &t) { t["layout"] = "a\n\x7f\u00e4"; });
  EXPECT_NE(message.find("layout 'a\\0A\\7F\u00e4', "), std::string::npos)
      << message;
  message = getTensorErrorAfter(
      [](json &t) { t["layout"] = std::string(119, 'x') + "\u00e4"; });
  EXPECT_NE(message.find("xx...',"), std::string::npos) << message;
}

TEST(ModelInfo, MustBeJson) {
  ModelInfo info;
  EXPECT_EQ(parseModelInfo("[]", info), "the text is not an object");
  for (const char *text : {"{\"name\": ", "", "{} {}", "{\"\xff\": 1}"})
    EXPECT_THAT(parseModelInfo(text, info),
                testing::StartsWith("the text is not valid JSON: parse error "
                                    "at line 1, column "));
  EXPECT_THAT(parseModelInfo("{\"\xff\": 1}", info),
              testing::EndsWith("ill-formed UTF-8 byte"));
}

TEST(ModelInfo, KeyThatIsThereTwiceIsRefused) {
  std::string text = makeInfo().dump();
  text.insert(1, "\"hidden\": 1, ");
  ModelInfo info;
  EXPECT_EQ(parseModelInfo(text, info),
            "the text key 'hidden': is there twice");
}

TEST(ModelInfo, TextIsBounded) {
  auto getError = [](const std::string &value) {
    json object = makeInfo();
    std::string text = object.dump();
    text.insert(1, "\"other\": " + value + ", ");
    ModelInfo info;
    return parseModelInfo(text, info);
  };
  auto nest = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(getError(nest(31)), "");
  EXPECT_EQ(getError(nest(32)), "the text is nested deeper than 32");
  EXPECT_EQ(getError(nest(1 << 20)), "the text is nested deeper than 32");
  std::string many = "[0";
  for (size_t i = 1; i < size_t(1) << 22; ++i)
    many += ",0";
  EXPECT_EQ(getError(many + "]"), "the text holds more than 4194304 values");
}

} // namespace
