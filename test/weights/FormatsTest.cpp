//===- FormatsTest.cpp - Whole models made by other programs --------------===//
//
// Checkpoints written by safetensors, numpy and gguf (reference.py), opened as
// a user would and compared with the numbers that went in, to the bit. With
// LLAMA_TEST_DATA, the same trained model in two formats.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/OpenedModel.h"
#include "weights/Tokenizers/GgufVocabulary.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"
#include "weights/Containers/TorchPickle.h"

#include "llvm/ADT/StringExtras.h"

#include <nlohmann/json.hpp>
#include <sentencepiece_processor.h>

using namespace llamatest;
using namespace llamaweights;

namespace {

template <typename T>
std::vector<T> readAs(const Checkpoint &checkpoint, const TensorInfo &tensor,
                      DType type) {
  int64_t rows = tensor.getRows(), columns = tensor.getColumns();
  std::vector<T> values(size_t(rows * columns));
  // In uneven pieces, so that heads are cut.
  for (int64_t row = 0, step = 1; row < rows; row += step, step += 3) {
    int64_t count = std::min(step, rows - row);
    llvm::cantFail(checkpoint.readRowsAs(
        tensor, type, row, count,
        {reinterpret_cast<char *>(&values[size_t(row * columns)]),
         size_t(count * columns) * sizeof(T)}));
  }
  return values;
}

class Formats : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    const char *folder = std::getenv("LLAMA_WEIGHTS_REFERENCE");
    if (!folder)
      GTEST_SKIP() << "LLAMA_WEIGHTS_REFERENCE is not set, see reference.py";
    reference = folder;
  }
  OpenedModel open(const std::string &name) {
    auto opened = OpenedModel::open(reference + "/models/" + name);
    EXPECT_TRUE(bool(opened)) << getMessage(std::move(opened));
    return opened ? std::move(*opened) : OpenedModel();
  }
  std::string reference;
};

TEST_P(Formats, HoldTheNumbersThatWentIn) {
  OpenedModel opened = open(GetParam());
  ASSERT_TRUE(opened.checkpoint);
  EXPECT_EQ(opened.config.hidden, 256);
  EXPECT_EQ(opened.config.ffn, 512);
  EXPECT_EQ(opened.config.vocab, 24);
  EXPECT_EQ(opened.config.layers, 2);
  EXPECT_EQ(opened.config.heads, 4);
  EXPECT_EQ(opened.config.kvHeads, 2);
  EXPECT_EQ(opened.config.headDim, 64);
  EXPECT_EQ(opened.config.normEps, 1e-5);
  EXPECT_EQ(opened.config.ropeTheta, 10000.0);
  EXPECT_FALSE(opened.vocabulary.has_value());

  std::string folder = reference + "/expected/" + GetParam() + "/";
  size_t tensors = 0;
  for (const TensorInfo &tensor : opened.checkpoint->getTensors()) {
    auto found = readAs<uint32_t>(*opened.checkpoint, tensor, DType::F32);
    EXPECT_TRUE(found == readNumbers<uint32_t>(folder + tensor.name + ".f32"))
        << tensor.name << " of " << tensor.file;
    ++tensors;
  }
  EXPECT_EQ(tensors, opened.config.tiedEmbeddings ? 20u : 21u);
  std::error_code code;
  size_t expected = 0;
  for (llvm::sys::fs::directory_iterator it(folder, code), end;
       it != end && !code; it.increment(code))
    expected += llvm::sys::path::extension(it->path()) == ".f32";
  EXPECT_EQ(tensors, expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, Formats,
    testing::Values("hf-bf16", "hf-f16-sharded", "hf-f32-stray", "npy-bf16",
                    "npy-f16", "npy-f32", "gguf-plain", "gguf-half",
                    "gguf-brain", "gguf-blocks", "hf-bin", "hf-bin-sharded",
                    "meta-bf16", "meta-f16", "meta-legacy", "meta-rows",
                    "meta-columns", "meta-repeated", "meta-views", "maxtext",
                    "maxtext-old", "nanotron", "nanotron-tied"),
    [](const auto &info) {
      std::string name = info.param;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

class References : public Formats {};

TEST_F(References, HostileFilesAreRefusedInOneLine) {
  nlohmann::json expected =
      nlohmann::json::parse(readFile(reference + "/hostile/expected.json"));
  EXPECT_GT(expected.size(), 30u);
  for (const auto &[name, complaint] : expected.items()) {
    std::string path = reference + "/hostile/" + name;
    auto file = llvm::cantFail(InputFile::open(path));
    std::string message = getMessage(readTorchPickle(file));
    EXPECT_EQ(message.substr(0, path.size() + 2), path + ": ") << message;
    EXPECT_NE(message.find(complaint.get<std::string>()), std::string::npos)
        << name << ": " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << name;
  }
}

/// Values of quantized checkpoints against those that f64 gives; a sum of 16
/// products, or of 512 in the transform, is rounded in f32.
TEST_F(References, QuantizedCheckpointsOfMeta) {
  for (auto [name, tolerance] :
       {std::pair("meta-spinquant", 2e-6), {"meta-qlora", 2e-6}}) {
    OpenedModel opened = open(name);
    ASSERT_TRUE(opened.checkpoint);
    EXPECT_FALSE(opened.config.tiedEmbeddings);
    for (const TensorInfo &tensor : opened.checkpoint->getTensors()) {
      auto found = readAs<float>(*opened.checkpoint, tensor, DType::F32);
      auto expected = readNumbers<double>(reference + "/quantized-meta/" +
                                          name + "/" + tensor.name + ".f64");
      ASSERT_EQ(found.size(), expected.size()) << tensor.name;
      double largest = 0.0, worst = 0.0;
      for (size_t i = 0; i < found.size(); ++i) {
        largest = std::max(largest, std::abs(expected[i]));
        worst = std::max(worst, std::abs(double(found[i]) - expected[i]));
      }
      EXPECT_LE(worst, tolerance * largest) << name << " " << tensor.name;
      bool isMatrix = tensor.shape.size() == 2;
      const QuantizedMatrix *codes = opened.checkpoint->getQuantized(tensor);
      ASSERT_EQ(codes != nullptr, isMatrix) << tensor.name;
      if (!isMatrix)
        continue;
      bool isLayer = llvm::StringRef(tensor.name).starts_with("layers.");
      EXPECT_EQ(codes->bits, isLayer ? 4 : 8);
      EXPECT_EQ(codes->groupSize, isLayer ? 32 : tensor.getColumns());
    }
  }
}

TEST_F(References, RoundLikeNumpy) {
  OpenedModel opened = open("hf-f32-stray");
  ASSERT_TRUE(opened.checkpoint);
  std::string folder = reference + "/expected/hf-f32-stray/";
  for (const TensorInfo &tensor : opened.checkpoint->getTensors()) {
    const Checkpoint &checkpoint = *opened.checkpoint;
    EXPECT_TRUE(readAs<uint16_t>(checkpoint, tensor, DType::BF16) ==
                readNumbers<uint16_t>(folder + tensor.name + ".bf16"))
        << tensor.name;
    EXPECT_TRUE(readAs<uint16_t>(checkpoint, tensor, DType::F16) ==
                readNumbers<uint16_t>(folder + tensor.name + ".f16"))
        << tensor.name;
  }
}

TEST_F(References, ModelJsonSpeaksOfEveryFormat) {
  for (auto [format, name, path] : {std::tuple("hf", "hf-f16-sharded", ""),
                                    {"npy", "npy-f16", ""},
                                    {"gguf", "gguf-half", "/model.gguf"}}) {
    nlohmann::json model = {
        {"hidden", 256},
        {"ffn", 512},
        {"vocab", 24},
        {"layers", 2},
        {"heads", {{"query", 4}, {"kv", 2}, {"dim", 64}}},
        {"norm_eps", 1e-6},
        {"rope", {{"theta", 5e5}}},
        {"max_seq_len", 99},
        {"tied_embeddings", false},
        {"weights",
         {{"format", format}, {"path", reference + "/models/" + name + path}}}};
    TempFolder folder;
    folder.write("model.json", model.dump());
    auto opened = OpenedModel::open(folder.path);
    ASSERT_TRUE(bool(opened)) << getMessage(std::move(opened));
    EXPECT_EQ(opened->config.maxSeqLen, 99);
    EXPECT_EQ(opened->config.normEps, 1e-6);
    const TensorInfo &wq = *opened->checkpoint->find("layers.1.attention.wq");
    EXPECT_TRUE(readAs<uint32_t>(*opened->checkpoint, wq, DType::F32) ==
                readNumbers<uint32_t>(reference + "/expected/" + name + "/" +
                                      wq.name + ".f32"))
        << name;
  }
}

/// The vocabulary of a *.gguf file that holds nothing else.
Vocabulary openVocabulary(const std::string &path) {
  auto file = readGguf(llvm::cantFail(InputFile::open(path)));
  return *llvm::cantFail(readGgufVocabulary(llvm::cantFail(std::move(file))));
}

nlohmann::json readJson(const std::string &path) {
  return nlohmann::json::parse(readFile(path));
}

TEST_F(References, SentencePieceEncodesLikeTheModelItCameFrom) {
  Vocabulary vocabulary = openVocabulary(reference + "/vocabularies/spm.gguf");
  EXPECT_TRUE(vocabulary.addBos);
  sentencepiece::SentencePieceProcessor processor;
  ASSERT_TRUE(
      processor.LoadFromSerializedProto(vocabulary.sentencePieceModel).ok());
  nlohmann::json expected = readJson(reference + "/vocabularies/spm.json");
  ASSERT_EQ(expected.size(), 5u);
  for (const auto &[text, ids] : expected.items())
    EXPECT_EQ(processor.EncodeAsIds(ids["text"].get<std::string>()),
              ids["ids"].get<std::vector<int>>())
        << ids["text"];
}

TEST_F(References, ByteLevelTokensAreTheBytesThatWentIn) {
  Vocabulary vocabulary =
      openVocabulary(reference + "/vocabularies/bytes.gguf");
  nlohmann::json expected = readJson(reference + "/vocabularies/bytes.json");
  ASSERT_EQ(vocabulary.tokens.size(), expected["tokens"].size());
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i)
    EXPECT_EQ(llvm::toHex(vocabulary.tokens[i], /*LowerCase=*/true),
              expected["tokens"][i].get<std::string>())
        << i;
  ASSERT_EQ(vocabulary.merges.size(), expected["merges"].size());
  for (size_t i = 0; i < vocabulary.merges.size(); ++i) {
    const Merge &merge = vocabulary.merges[i];
    EXPECT_EQ(nlohmann::json({merge.left, merge.right, merge.result}),
              expected["merges"][i])
        << i;
  }
  EXPECT_EQ(vocabulary.preTokenizer, PreTokenizer::Llama3);
  EXPECT_TRUE(vocabulary.addBos);
  // eos is <|eot_id|>, and <|end_of_text|> ends a text too.
  int64_t last = int64_t(vocabulary.tokens.size()) - 1;
  EXPECT_EQ(vocabulary.eosTokens, (std::vector<int64_t>{last, last - 1}));
}

/// One trained model as safetensors (half-split rows, tied) and as GGUF
/// (interleaved rows, with its own copy of the output).
TEST(TrainedModel, IsTheSameInBothFormats) {
  const char *data = std::getenv("LLAMA_TEST_DATA");
  if (!data)
    GTEST_SKIP() << "LLAMA_TEST_DATA is not set";
  std::string folder = std::string(data) + "/stories260K";
  auto hf = OpenedModel::open(folder + "/hf");
  ASSERT_TRUE(bool(hf)) << getMessage(std::move(hf));
  auto gguf = OpenedModel::open(folder + "/stories260K.gguf");
  ASSERT_TRUE(bool(gguf)) << getMessage(std::move(gguf));
  EXPECT_EQ(hf->config.normEps, gguf->config.normEps);
  EXPECT_TRUE(hf->config.tiedEmbeddings);
  EXPECT_EQ(hf->checkpoint->getTensors().size(), 47u);
  for (const TensorInfo &tensor : hf->checkpoint->getTensors()) {
    const TensorInfo *other = gguf->checkpoint->find(tensor.name);
    ASSERT_TRUE(other) << tensor.name;
    EXPECT_EQ(other->shape, tensor.shape);
    EXPECT_TRUE(readAs<uint32_t>(*hf->checkpoint, tensor, DType::F32) ==
                readAs<uint32_t>(*gguf->checkpoint, *other, DType::F32))
        << tensor.name;
  }
  ASSERT_TRUE(gguf->vocabulary.has_value());
  EXPECT_EQ(gguf->vocabulary->tokens.size(), 512u);
  sentencepiece::SentencePieceProcessor processor;
  EXPECT_TRUE(
      processor.LoadFromSerializedProto(gguf->vocabulary->sentencePieceModel)
          .ok());
}

} // namespace
