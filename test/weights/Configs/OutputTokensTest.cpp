//===- OutputTokensTest.cpp - Tokens of a pruned output matrix ------------===//
//
// The key, in the two files that may have it, and the map of its own.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/OutputTokens.h"

#include "test/weights/Messages.h"
#include "weights/Configs/MetaParams.h"
#include "weights/Configs/ModelJson.h"
#include "weights/TensorNames.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

std::string makeParams(const std::string &tokens) {
  return R"({"dim": 64, "n_layers": 3, "n_heads": 8, "vocab_size": 512,
             "hidden_dim": 100, "output_tokens": )" +
         tokens + "}";
}

llvm::Expected<ModelConfig> parseParams(const std::string &tokens) {
  MetaShapes shapes = {512, 100, /*hasOutput=*/true};
  return parseMetaParams(makeParams(tokens), "params.json", shapes);
}

TEST(OutputTokens, AreAKeyOfParamsJson) {
  ModelConfig config = llvm::cantFail(parseParams("[300, 7]"));
  EXPECT_EQ(config.outputTokens, (std::vector<int64_t>{300, 7}));
  EXPECT_EQ(config.getOutputRows(), 2);
  ExpectedTensor output = getExpectedTensors(config).back();
  EXPECT_EQ(output.name, "output");
  EXPECT_EQ(output.shape, (std::vector<int64_t>{2, 64}));

  EXPECT_EQ(getMessage(parseParams("9")),
            "params.json: output_tokens has one token, expected two or more");
  EXPECT_EQ(llvm::cantFail(parseParams("null")).getOutputRows(), 512);
  EXPECT_EQ(getMessage(parseParams("[]")),
            "params.json: key 'output_tokens': expected two tokens or more");
  EXPECT_EQ(getMessage(parseParams("[1, \"a\"]")),
            "params.json: key 'output_tokens': expected an integer or an array "
            "of integers, found the string 'a'");
  EXPECT_EQ(getMessage(parseParams("[1, 512]")),
            "params.json: output_tokens is 512, expected 0 to 511");
}

TEST(OutputTokens, AreAKeyOfModelJson) {
  auto parse = [](const std::string &tokens) {
    return parseModelJson(
        R"({"hidden": 8, "ffn": 12, "vocab": 10, "layers": 1,
            "heads": {"query": 2, "kv": 1, "dim": 4}, "norm_eps": 1e-6,
            "rope": {"theta": 10000}, "max_seq_len": 77,
            "tied_embeddings": false, "output_tokens": )" +
            tokens + R"(, "weights": {"format": "hf", "path": "."}})",
        "model.json");
  };
  ModelJson model = llvm::cantFail(parse("[3, 1]"));
  EXPECT_EQ(model.config.outputTokens, (std::vector<int64_t>{3, 1}));
  EXPECT_FALSE(model.outputMapPath.has_value());
  model = llvm::cantFail(parse(R"({"file": "map.json"})"));
  EXPECT_TRUE(model.config.outputTokens.empty());
  EXPECT_EQ(model.outputMapPath, "map.json");
  EXPECT_EQ(getMessage(parse(R"({"path": "map.json"})")),
            "model.json: key 'output_tokens.path': is not known");
  EXPECT_EQ(getMessage(parse(R"("map.json")")),
            "model.json: key 'output_tokens': expected an integer or an array "
            "of integers, found the string 'map.json'");
}

TEST(OutputTokens, AreAMapOfRows) {
  auto parse = [](const char *text) { return parseOutputMap(text, "m.json"); };
  EXPECT_EQ(llvm::cantFail(parse(R"({"1": 39257, "2": 5, "0": 19193})")),
            (std::vector<int64_t>{19193, 39257, 5}));
  const std::pair<const char *, const char *> cases[] = {
      {"[1, 2]", "expected an object, found an array"},
      {"{}", "expected two tokens or more"},
      {R"({"0": 3, "2": 4})",
       "expected a token for each row from 0 to 1, row 1 is missing"},
      {R"({"0": 3, "01": 4})",
       "expected a token for each row from 0 to 1, row 1 is missing"},
      {R"({"0": "a"})", "key '0': expected an integer, found the string 'a'"},
      {R"({"0": null})", "key '0': expected an integer, found null"},
      {R"({"0": 1, "0": 2})", "key '0': is there twice"},
  };
  for (auto [text, message] : cases)
    EXPECT_EQ(getMessage(parse(text)), std::string("m.json: ") + message)
        << text;
}

} // namespace
