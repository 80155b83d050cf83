//===- ModelJsonTest.cpp - model.json, written by hand --------------------===//
//
// The whole schema, and what a slip of the pen leads to.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/ModelJson.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <nlohmann/json.hpp>

using namespace llamatest;
using namespace llamaweights;
using nlohmann::json;

namespace {

json makeModel() {
  return json::parse(R"({
    "name": "Llama 3.2 1B", "hidden": 2048, "ffn": 8192, "vocab": 128256,
    "layers": 16, "heads": {"query": 32, "kv": 8, "dim": 64}, "norm_eps": 1e-5,
    "rope": {"theta": 500000, "scaling": {"factor": 32, "low_freq_factor": 1,
      "high_freq_factor": 4, "original_max_positions": 8192}},
    "max_seq_len": 131072, "tied_embeddings": true, "bos_token": 128000,
    "eos_tokens": [128001, 128009], "weights": {"format": "npy", "path": "w"},
    "tokenizer": "tokenizer", "chat_template": "{{ messages }}"})");
}

llvm::Expected<ModelJson> parse(const json &value) {
  return parseModelJson(value.dump(), "model.json");
}

TEST(ModelJson, ReadsTheWholeSchema) {
  auto model = parse(makeModel());
  ASSERT_TRUE(bool(model)) << getMessage(std::move(model));
  EXPECT_EQ(model->name, "Llama 3.2 1B");
  EXPECT_EQ(model->config.hidden, 2048);
  EXPECT_EQ(model->config.ffn, 8192);
  EXPECT_EQ(model->config.vocab, 128256);
  EXPECT_EQ(model->config.layers, 16);
  EXPECT_EQ(model->config.heads, 32);
  EXPECT_EQ(model->config.kvHeads, 8);
  EXPECT_EQ(model->config.headDim, 64);
  EXPECT_EQ(model->config.normEps, 1e-5);
  EXPECT_EQ(model->config.ropeTheta, 500000.0);
  EXPECT_EQ(model->config.ropeScaling->factor, 32.0);
  EXPECT_EQ(model->config.ropeScaling->originalMaxPositions, 8192);
  EXPECT_EQ(model->config.maxSeqLen, 131072);
  EXPECT_TRUE(model->config.tiedEmbeddings);
  EXPECT_EQ(model->config.bosToken, 128000);
  EXPECT_EQ(model->config.eosTokens, (std::vector<int64_t>{128001, 128009}));
  EXPECT_EQ(model->format, CheckpointFormat::Npy);
  EXPECT_EQ(model->weightsPath, "w");
  EXPECT_EQ(model->tokenizerPath, "tokenizer");
  EXPECT_EQ(model->chatTemplate, "{{ messages }}");
  EXPECT_FALSE(model->chatTemplatePath.has_value());
}

TEST(ModelJson, ReadsTheExampleInTheDocs) {
  std::string page = readFile(LLAMA_SOURCE_DIR "/docs/model-json.md");
  llvm::StringRef example = llvm::StringRef(page).split("```json\n").second;
  auto model = parseModelJson(example.split("```").first, "model-json.md");
  ASSERT_TRUE(bool(model)) << getMessage(std::move(model));
  EXPECT_EQ(model->config.hidden, 2048);
  EXPECT_EQ(model->chatTemplatePath, "chat.jinja");
}

TEST(ModelJson, LeavesOutWhatIsOptional) {
  json value = makeModel();
  for (const char *key :
       {"name", "bos_token", "eos_tokens", "tokenizer", "chat_template"})
    value.erase(key);
  value["rope"].erase("scaling");
  auto model = parse(value);
  ASSERT_TRUE(bool(model)) << getMessage(std::move(model));
  EXPECT_FALSE(model->config.ropeScaling.has_value());
  EXPECT_FALSE(model->config.bosToken.has_value());
  EXPECT_FALSE(model->tokenizerPath.has_value());
  EXPECT_FALSE(model->chatTemplate.has_value());
}

TEST(ModelJson, ReadsAChatTemplateFromAFile) {
  json value = makeModel();
  value["chat_template"] = {{"file", "chat.jinja"}};
  auto model = parse(value);
  ASSERT_TRUE(bool(model)) << getMessage(std::move(model));
  EXPECT_EQ(model->chatTemplatePath, "chat.jinja");
  EXPECT_FALSE(model->chatTemplate.has_value());
}

TEST(ModelJson, NamesMissingKeys) {
  for (std::string path : {"/hidden",
                           "/ffn",
                           "/vocab",
                           "/layers",
                           "/heads",
                           "/heads/query",
                           "/heads/kv",
                           "/heads/dim",
                           "/norm_eps",
                           "/rope",
                           "/rope/theta",
                           "/rope/scaling/factor",
                           "/rope/scaling/low_freq_factor",
                           "/rope/scaling/high_freq_factor",
                           "/rope/scaling/original_max_positions",
                           "/max_seq_len",
                           "/tied_embeddings",
                           "/weights",
                           "/weights/format",
                           "/weights/path"}) {
    json value = makeModel();
    json::json_pointer pointer(path);
    value[pointer.parent_pointer()].erase(pointer.back());
    std::string key = path.substr(1);
    std::replace(key.begin(), key.end(), '/', '.');
    std::string message = getMessage(parse(value));
    if (path == "/weights/format")
      EXPECT_EQ(message, "model.json: key 'weights.format': expected 'hf', "
                         "'meta', 'npy', 'maxtext', 'nanotron' or 'gguf', "
                         "found ''");
    else
      EXPECT_EQ(message, "model.json: key '" + key + "': is missing");
  }
}

TEST(ModelJson, RefusesWhatIsWrong) {
  const std::pair<const char *, const char *> cases[] = {
      {R"([{"op": "add", "path": "/hiden", "value": 1}])",
       "key 'hiden': is not known; did you mean 'hidden'?"},
      {R"([{"op": "add", "path": "/heads/querry", "value": 1}])",
       "key 'heads.querry': is not known; did you mean 'heads.query'?"},
      {R"([{"op": "replace", "path": "/heads", "value": 32}])",
       "key 'heads': expected an object, found 32"},
      {R"([{"op": "replace", "path": "/heads", "value": null}])",
       "key 'heads': expected an object, found null"},
      {R"([{"op": "replace", "path": "/layers", "value": "16"}])",
       "key 'layers': expected an integer, found the string '16'"},
      {R"([{"op": "replace", "path": "/heads/kv", "value": 3}])",
       "heads.kv is 3, but heads.query (32) must be a multiple of it"},
      {R"([{"op": "replace", "path": "/weights/format", "value": "pth"}])",
       "key 'weights.format': expected 'hf', 'meta', 'npy', 'maxtext', "
       "'nanotron' or 'gguf', found 'pth'"},
      {R"([{"op": "replace", "path": "/chat_template", "value": 3}])",
       "key 'chat_template': expected a string, found 3"},
      {R"([{"op": "replace", "path": "/chat_template", "value": {}}])",
       "key 'chat_template.file': is missing"},
      {R"([{"op": "replace", "path": "/eos_tokens", "value": [128256]}])",
       "eos_tokens is 128256, expected 0 to 128255"},
  };
  for (auto [patch, message] : cases)
    EXPECT_EQ(getMessage(parse(makeModel().patch(json::parse(patch)))),
              std::string("model.json: ") + message);
}

} // namespace
