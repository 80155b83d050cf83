//===- OpenedModelTest.cpp - A model, whatever it is stored as ------------===//
//
// Small checkpoints in every form, opened by their path: what is recognized,
// which statement wins, what is refused.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/OpenedModel.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"
#include "weights/TensorNames.h"

#include <filesystem>
#include <nlohmann/json.hpp>

using namespace llamatest;
using namespace llamaweights;
using nlohmann::json;

namespace {

#define GGML "tokenizer.ggml."

class OpenedModelTest : public testing::Test {
protected:
  OpenedModelTest() {
    config.hidden = 8;
    config.ffn = 12;
    config.vocab = 10;
    config.layers = 1;
    config.heads = 2;
    config.kvHeads = 1;
    config.headDim = 4;
    config.tiedEmbeddings = true;
  }

  static size_t countBytes(const ExpectedTensor &tensor) {
    size_t bytes = 4;
    for (int64_t dim : tensor.shape)
      bytes *= size_t(dim);
    return bytes;
  }

  void writeSafetensors(const std::string &name) {
    json header = json::object();
    std::string data;
    for (const ExpectedTensor &tensor : getExpectedTensors(config)) {
      size_t begin = data.size();
      data += makePattern(countBytes(tensor));
      header[getSourceName(tensor.name, Naming::HuggingFace)] = {
          {"dtype", "F32"},
          {"shape", tensor.shape},
          {"data_offsets", {begin, data.size()}}};
    }
    folder.write(name, makeSafetensors(header.dump(), data));
  }

  json makeHuggingFaceConfig() {
    return {{"model_type", "llama"},    {"hidden_size", 8},
            {"intermediate_size", 12},  {"vocab_size", 10},
            {"num_hidden_layers", 1},   {"num_attention_heads", 2},
            {"num_key_value_heads", 1}, {"tie_word_embeddings", true},
            {"bos_token_id", 1},        {"eos_token_id", 2}};
  }

  void writeNpy() {
    for (const ExpectedTensor &tensor : getExpectedTensors(config)) {
      std::string shape = "(";
      for (int64_t dim : tensor.shape)
        shape += std::to_string(dim) + ", ";
      folder.write(tensor.name + ".weight.npy",
                   makeNpy(makeNpyHeader("<f4", shape + ")"),
                           makePattern(countBytes(tensor))));
    }
  }

  GgufWriter makeGguf(int tokens = 10) {
    GgufWriter writer;
    std::vector<std::string> texts;
    for (int i = 0; i < tokens; ++i)
      texts.push_back(std::string(1, char('a' + i)));
    writer.string("general.architecture", "llama")
        .string("general.name", "Tiny")
        .u32("llama.embedding_length", 8)
        .u32("llama.feed_forward_length", 12)
        .u32("llama.block_count", 1)
        .u32("llama.attention.head_count", 2)
        .u32("llama.attention.head_count_kv", 1)
        .u32("llama.context_length", 64)
        .f32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .string(GGML "model", "gpt2")
        .string(GGML "pre", "gpt-2")
        .strings(GGML "tokens", texts)
        .strings(GGML "merges", {})
        .u32(GGML "bos_token_id", 3)
        .u32(GGML "eos_token_id", 4)
        .string("tokenizer.chat_template", "from the file");
    for (const ExpectedTensor &tensor : getExpectedTensors(config)) {
      std::vector<uint64_t> dims(tensor.shape.rbegin(), tensor.shape.rend());
      writer.tensor(getSourceName(tensor.name, Naming::Gguf), dims, 0,
                    makePattern(countBytes(tensor)));
    }
    return writer;
  }

  json makeModelJson(const std::string &format, const std::string &path) {
    return {{"hidden", 8},
            {"ffn", 12},
            {"vocab", 10},
            {"layers", 1},
            {"heads", {{"query", 2}, {"kv", 1}, {"dim", 4}}},
            {"norm_eps", 1e-6},
            {"rope", {{"theta", 10000}}},
            {"max_seq_len", 77},
            {"tied_embeddings", true},
            {"weights", {{"format", format}, {"path", path}}}};
  }

  /// Opens and returns the message; the model is in `opened`.
  std::string open(const std::string &path) {
    opened = {};
    return getMessage(OpenedModel::open(path).moveInto(opened));
  }

  TempFolder folder;
  ModelConfig config;
  OpenedModel opened;
};

TEST_F(OpenedModelTest, OpensAHuggingFaceFolder) {
  std::filesystem::create_directory(folder.at("tiny-1.5"));
  writeSafetensors("tiny-1.5/model.safetensors");
  folder.write("tiny-1.5/config.json", makeHuggingFaceConfig().dump());
  folder.write("tiny-1.5/generation_config.json",
               R"({"eos_token_id": [2, 5]})");
  ASSERT_EQ(open(folder.at("tiny-1.5/")), "");
  EXPECT_EQ(opened.name, "tiny-1.5");
  EXPECT_EQ(opened.path, folder.at("tiny-1.5/"));
  EXPECT_EQ(opened.config.eosTokens, (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(opened.checkpoint->getTensors().size(), 11u);
  EXPECT_FALSE(opened.vocabulary.has_value());
}

TEST_F(OpenedModelTest, OpensANpyFolder) {
  writeNpy();
  EXPECT_EQ(open(folder.path), folder.at("params.json") +
                                   ": cannot be opened: No such file or "
                                   "directory");
  folder.write("config.json", makeHuggingFaceConfig().dump());
  ASSERT_EQ(open(folder.path), "");
  EXPECT_EQ(opened.config.eosTokens, (std::vector<int64_t>{2}));
  folder.write("params.json", R"({"dim": 8, "n_layers": 1, "n_heads": 2,
                                  "n_kv_heads": 1, "vocab_size": -1})");
  ASSERT_EQ(open(folder.path), "");
  EXPECT_EQ(opened.config.ffn, 12); // as stored; the rule says 256
  EXPECT_EQ(opened.config.vocab, 10);
  EXPECT_TRUE(opened.config.tiedEmbeddings);

  folder.write("output.weight.npy",
               makeNpy(makeNpyHeader("<f4", "(10, 8)"), makePattern(320)));
  ASSERT_EQ(open(folder.path), "");
  EXPECT_TRUE(opened.config.tiedEmbeddings); // a copy of the embedding
  folder.write("output.weight.npy",
               makeNpy(makeNpyHeader("<f4", "(10, 8)"), makePattern(320, 2)));
  ASSERT_EQ(open(folder.path), "");
  EXPECT_FALSE(opened.config.tiedEmbeddings);
  EXPECT_TRUE(opened.checkpoint->find("output"));
}

TEST_F(OpenedModelTest, OpensAGgufFileOrAFolderWithOne) {
  folder.write("some.gguf", makeGguf().build());
  for (const std::string &path : {folder.path, folder.at("some.gguf")}) {
    ASSERT_EQ(open(path), "");
    EXPECT_EQ(opened.name, "Tiny");
    EXPECT_EQ(opened.config.maxSeqLen, 64);
    EXPECT_EQ(opened.config.bosToken, 3);
    EXPECT_EQ(opened.config.eosTokens, (std::vector<int64_t>{4}));
    ASSERT_TRUE(opened.vocabulary.has_value());
    EXPECT_EQ(opened.vocabulary->chatTemplate, "from the file");
  }
  folder.write("5f3a", makeGguf().build()); // as caches name it
  ASSERT_EQ(open(folder.at("5f3a")), "");
  EXPECT_EQ(opened.config.maxSeqLen, 64);
  folder.write("other.gguf", "");
  EXPECT_EQ(open(folder.path),
            folder.path + ": holds several *.gguf files, name one of them");
}

TEST_F(OpenedModelTest, ModelJsonComesFirstAndWins) {
  std::filesystem::create_directory(folder.at("weights"));
  writeSafetensors("weights/model.safetensors");
  folder.write("weights/config.json", "not even JSON");
  json model = makeModelJson("hf", "weights");
  folder.write("model.json", model.dump());
  for (const std::string &path : {folder.path, folder.at("model.json")}) {
    ASSERT_EQ(open(path), "");
    EXPECT_EQ(opened.config.maxSeqLen, 77);
    EXPECT_EQ(opened.name, llvm::sys::path::filename(folder.path));
  }
  model["name"] = "Mine";
  model["weights"]["path"] = folder.at("weights"); // absolute
  std::string path = folder.write("mine.json", model.dump());
  ASSERT_EQ(open(path), "");
  EXPECT_EQ(opened.name, "Mine");
}

TEST_F(OpenedModelTest, ModelJsonMayUseNpyAndGguf) {
  writeNpy();
  folder.write("npy.json", makeModelJson("npy", ".").dump());
  ASSERT_EQ(open(folder.at("npy.json")), "");
  EXPECT_EQ(opened.checkpoint->getTensors()[0].sourceName,
            "tok_embeddings.weight");

  folder.write("w.gguf", makeGguf().build());
  json model = makeModelJson("gguf", "w.gguf");
  folder.write("gguf.json", model.dump());
  ASSERT_EQ(open(folder.at("gguf.json")), "");
  EXPECT_EQ(opened.config.normEps, 1e-6);
  ASSERT_TRUE(opened.vocabulary.has_value());
  EXPECT_EQ(opened.config.bosToken, 3);

  model["bos_token"] = 5;
  model["eos_tokens"] = {6, 7};
  model["chat_template"] = "stated";
  folder.write("gguf.json", model.dump());
  ASSERT_EQ(open(folder.at("gguf.json")), "");
  EXPECT_EQ(opened.vocabulary->bosToken, 5);
  EXPECT_EQ(opened.vocabulary->eosTokens, (std::vector<int64_t>{6, 7}));
  EXPECT_EQ(opened.config.eosTokens, (std::vector<int64_t>{6, 7}));
  EXPECT_EQ(opened.vocabulary->chatTemplate, "stated");

  folder.write("chat.jinja", "from beside it");
  model["chat_template"] = {{"file", "chat.jinja"}};
  folder.write("gguf.json", model.dump());
  ASSERT_EQ(open(folder.at("gguf.json")), "");
  EXPECT_EQ(opened.vocabulary->chatTemplate, "from beside it");
}

TEST_F(OpenedModelTest, AStatedScalingWinsOverStoredDivisors) {
  GgufWriter writer = makeGguf();
  writer.tensor("rope_freqs.weight", {2}, 0, toBytes(1.0f) + toBytes(8.0f));
  folder.write("w.gguf", writer.build());
  json model = makeModelJson("gguf", "w.gguf");
  folder.write("model.json", model.dump());
  ASSERT_EQ(open(folder.path), "");
  EXPECT_EQ(opened.config.ropeDivisors, (std::vector<double>{1.0, 8.0}));
  model["rope"]["scaling"] = {{"factor", 4},
                              {"low_freq_factor", 1},
                              {"high_freq_factor", 4},
                              {"original_max_positions", 8192}};
  folder.write("model.json", model.dump());
  ASSERT_EQ(open(folder.path), "");
  EXPECT_TRUE(opened.config.ropeDivisors.empty());
  EXPECT_EQ(opened.config.ropeScaling->factor, 4.0);
}

TEST_F(OpenedModelTest, PathsThatAreNoModel) {
  EXPECT_EQ(open(folder.at("none")), folder.at("none") + ": does not exist");
  EXPECT_EQ(open(folder.at("none.gguf")),
            folder.at("none.gguf") + ": does not exist");
  EXPECT_EQ(open(folder.path),
            folder.path + ": holds none of model.json, model.safetensors, "
                          "model.safetensors.index.json, pytorch_model.bin, "
                          "pytorch_model.bin.index.json, consolidated.00.pth, "
                          "tok_embeddings.weight.npy, layer_0.pkl, "
                          "model_config.json with model/model, and a *.gguf "
                          "file");
  folder.write("model.bin", "x");
  EXPECT_EQ(open(folder.at("model.bin")),
            folder.at("model.bin") +
                ": is one file of a checkpoint: give its folder, '" +
                folder.path + "'");
  folder.write("config.json", "{}");
  EXPECT_EQ(open(folder.at("config.json")),
            folder.at("config.json") +
                ": is one file of a checkpoint: give its folder, '" +
                folder.path + "'");
  folder.write("notes.txt", "x");
  EXPECT_EQ(open(folder.at("notes.txt")),
            folder.at("notes.txt") +
                ": expected a folder, a *.gguf file or a model.json");
  EXPECT_EQ(open("/dev/null"),
            "/dev/null: expected a regular file, found a device");
}

TEST_F(OpenedModelTest, FoldersThatAreSomethingElse) {
  const std::pair<const char *, const char *> cases[] = {
      {"a/adapter_config.json", "is a LoRA adapter (adapter_config.json)"},
      {"b/adapter_model.safetensors", "is a LoRA adapter (adapter_model)"},
      {"c/__0_0.distcp", "is a distributed checkpoint of torch (*.distcp)"},
      {"d/consolidated.safetensors",
       "holds consolidated.safetensors, in Mistral's own naming"},
      {"e/snapshots/5f3a/config.json",
       "is a model's folder in the cache of Hugging Face's hub: give"},
      {"f/blobs/5f3a", "is a model's folder in the cache of Hugging Face's "
                       "hub, but holds no snapshot"},
      {"g/models--a--b/refs/main", "is the cache of Hugging Face's hub: give"},
  };
  for (auto [name, message] : cases) {
    folder.write(name, "x");
    std::string path = folder.at(std::string(name, 1));
    EXPECT_EQ(open(path).substr(0, path.size() + 2 + strlen(message)),
              path + ": " + message);
  }
}

TEST_F(OpenedModelTest, WhatDownloadsLeaveInAFilesPlace) {
  folder.write("config.json", makeHuggingFaceConfig().dump());
  const std::pair<const char *, const char *> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4096\n",
       "is a pointer of Git LFS, not the file itself: fetch the file with "
       "'git lfs pull'"},
      {"\n<!DOCTYPE html><html>Sign in</html>",
       "is a web page (HTML), not the file itself: download it again, logged "
       "in if the model asks for that"},
      {"<?xml version=\"1.0\"?><Error>AccessDenied</Error>",
       "is an XML document, such as a server's refusal, not the file itself: "
       "download it again"},
  };
  for (auto [bytes, message] : cases) {
    folder.write("model.safetensors", bytes);
    EXPECT_EQ(open(folder.path),
              folder.at("model.safetensors") + ": " + message);
    folder.write("some.gguf", bytes);
    EXPECT_EQ(open(folder.at("some.gguf")),
              folder.at("some.gguf") + ": " + message);
  }
}

TEST_F(OpenedModelTest, AnOutputMatrixOfItsOwnCounts) {
  folder.write("config.json", makeHuggingFaceConfig().dump());
  config.tiedEmbeddings = false;
  writeSafetensors("model.safetensors"); // every tensor has the same pattern
  ASSERT_EQ(open(folder.path), "");
  EXPECT_TRUE(opened.config.tiedEmbeddings);
  EXPECT_TRUE(opened.config.remarks.empty());
  std::string bytes = readFile(folder.at("model.safetensors"));
  bytes.back() ^= 1; // of the output, which is written last
  folder.write("model.safetensors", bytes);
  ASSERT_EQ(open(folder.path), "");
  EXPECT_FALSE(opened.config.tiedEmbeddings);
  EXPECT_TRUE(opened.checkpoint->find("output"));
  EXPECT_EQ(
      opened.config.remarks,
      (std::vector<std::string>{
          folder.path + ": the embeddings are said to be tied, but tensor "
                        "'lm_head.weight' is not a copy of "
                        "'model.embed_tokens.weight': the stored one "
                        "counts"}));
}

TEST_F(OpenedModelTest, FilesThatAreMissingBesideOthers) {
  writeSafetensors("model.safetensors");
  EXPECT_EQ(open(folder.path), folder.at("config.json") +
                                   ": cannot be opened: No such file or "
                                   "directory");
  json model = makeModelJson("hf", ".");
  model["tokenizer"] = "absent.model";
  folder.write("model.json", model.dump());
  EXPECT_EQ(open(folder.path), folder.at("absent.model") +
                                   ": cannot be opened: No such file or "
                                   "directory");
  std::filesystem::create_directory(folder.at("empty"));
  model["tokenizer"] = "empty";
  folder.write("model.json", model.dump());
  EXPECT_EQ(open(folder.path),
            folder.at("empty") +
                ": holds neither tokenizer.json nor tokenizer.model");
}

TEST_F(OpenedModelTest, ChatTemplatesThatAreMissing) {
  writeSafetensors("model.safetensors");
  json model = makeModelJson("hf", ".");
  model["chat_template"] = {{"file", "absent.jinja"}};
  folder.write("model.json", model.dump());
  EXPECT_EQ(open(folder.path), folder.at("absent.jinja") +
                                   ": cannot be opened: No such file or "
                                   "directory");
}

TEST_F(OpenedModelTest, FoldersWithoutSafetensors) {
  std::filesystem::create_directory(folder.at("empty"));
  folder.write("model.json", makeModelJson("hf", "empty").dump());
  EXPECT_EQ(open(folder.path), folder.at("empty") +
                                   ": holds neither model.safetensors nor "
                                   "model.safetensors.index.json");
}

TEST_F(OpenedModelTest, TokenizersMustFitTheModel) {
  folder.write("some.gguf", makeGguf(9).build());
  EXPECT_EQ(open(folder.path), "");
  folder.write("some.gguf", makeGguf(11).build());
  EXPECT_EQ(open(folder.path),
            folder.path +
                ": the tokenizer has 11 tokens, but the model only 10");
}

} // namespace
