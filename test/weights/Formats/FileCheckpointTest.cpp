//===- FileCheckpointTest.cpp - A checkpoint whose tensors lie in files ---===//
//
// Which tensors a set of hyper-parameters accepts, and which rows come back.
// Conversions and whole models are in FormatsTest.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/FileCheckpoint.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

#include <thread>

using namespace llamatest;
using namespace llamaweights;

namespace {

class FileCheckpointTest : public testing::Test {
protected:
  FileCheckpointTest() {
    config.hidden = 8;
    config.ffn = 12;
    config.vocab = 10;
    config.layers = 2;
    config.heads = 2;
    config.kvHeads = 1;
    config.headDim = 4;
    for (const ExpectedTensor &tensor : getExpectedTensors(config))
      add(getSourceName(tensor.name, Naming::HuggingFace), tensor.shape);
  }

  void add(const std::string &name, const std::vector<int64_t> &shape,
           DType dtype = DType::BF16) {
    size_t size = size_t(*getStoredBytes(dtype, shape));
    std::string bytes = makePattern(size + 5, unsigned(tensors.size()));
    tensors.push_back({name,
                       dtype,
                       shape,
                       InputFile::fromMemory("m.file", bytes),
                       5,
                       {},
                       {},
                       {}});
  }
  StoredTensor &get(const std::string &name) {
    for (StoredTensor &tensor : tensors)
      if (tensor.name == name)
        return tensor;
    ADD_FAILURE() << name;
    return tensors[0];
  }
  void remove(const std::string &name) {
    std::erase_if(tensors, [&](auto &tensor) { return tensor.name == name; });
  }
  auto create() {
    return createFileCheckpoint("m", tensors, Naming::HuggingFace, config);
  }
  std::string stored(const std::string &name) {
    StoredTensor &tensor = get(name);
    std::string bytes(size_t(*getStoredBytes(tensor.dtype, tensor.shape)), 0);
    llvm::cantFail(
        tensor.file->read(tensor.offset, {bytes.data(), bytes.size()}));
    return bytes;
  }

  ModelConfig config;
  std::vector<StoredTensor> tensors;
};

std::string readRows(const Checkpoint &checkpoint, const TensorInfo &tensor,
                     int64_t first, int64_t count) {
  std::string bytes(size_t(count * tensor.getRowBytes()), '\0');
  llvm::cantFail(
      checkpoint.readRows(tensor, first, count, {bytes.data(), bytes.size()}));
  return bytes;
}

TEST_F(FileCheckpointTest, ListsTensorsInCanonicalOrder) {
  auto checkpoint = llvm::cantFail(create());
  std::vector<std::string> names, expected;
  for (const TensorInfo &tensor : checkpoint->getTensors())
    names.push_back(tensor.name);
  for (const ExpectedTensor &tensor : getExpectedTensors(config))
    expected.push_back(tensor.name);
  EXPECT_EQ(names, expected);
  EXPECT_EQ(names.front(), "tok_embeddings");
  EXPECT_EQ(names.back(), "output");

  const TensorInfo *w2 = checkpoint->find("layers.1.feed_forward.w2");
  ASSERT_TRUE(w2);
  EXPECT_EQ(w2->sourceName, "model.layers.1.mlp.down_proj.weight");
  EXPECT_EQ(w2->file, "m.file");
  EXPECT_EQ(w2->shape, (std::vector<int64_t>{8, 12}));
  EXPECT_EQ(w2->getRows(), 8);
  EXPECT_EQ(w2->getRowBytes(), 24);
  EXPECT_EQ(checkpoint->find("norm")->getRows(), 1);
  EXPECT_EQ(checkpoint->find("norm")->getRowBytes(), 16);
  EXPECT_EQ(checkpoint->find("layers.2.ffn_norm"), nullptr);
}

TEST_F(FileCheckpointTest, ReadsRowsAsTheyAreStored) {
  auto checkpoint = llvm::cantFail(create());
  const TensorInfo &wv = *checkpoint->find("layers.1.attention.wv");
  std::string bytes = stored("model.layers.1.self_attn.v_proj.weight");
  EXPECT_EQ(readRows(*checkpoint, wv, 0, 4), bytes);
  EXPECT_EQ(readRows(*checkpoint, wv, 1, 2), bytes.substr(16, 32));
  EXPECT_EQ(readRows(*checkpoint, wv, 4, 0), "");
}

TEST_F(FileCheckpointTest, InterleavesTheRowsOfQueryAndKey) {
  auto checkpoint = llvm::cantFail(create());
  const TensorInfo &wq = *checkpoint->find("layers.0.attention.wq");
  std::string bytes = stored("model.layers.0.self_attn.q_proj.weight");
  const size_t order[] = {0, 2, 1, 3, 4, 6, 5, 7};
  std::string expected;
  for (size_t row : order)
    expected += bytes.substr(row * 16, 16);
  EXPECT_EQ(readRows(*checkpoint, wq, 0, 8), expected);
  EXPECT_EQ(readRows(*checkpoint, wq, 3, 4), expected.substr(48, 64));
  const TensorInfo &wk = *checkpoint->find("layers.0.attention.wk");
  EXPECT_EQ(readRows(*checkpoint, wk, 1, 1),
            stored("model.layers.0.self_attn.k_proj.weight").substr(32, 16));
}

TEST_F(FileCheckpointTest, IsSharedByThreads) {
  auto checkpoint = llvm::cantFail(create());
  const TensorInfo &wq = *checkpoint->find("layers.0.attention.wq");
  std::string expected = readRows(*checkpoint, wq, 0, 8);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i)
        wrong[t] += readRows(*checkpoint, wq, 0, 8) != expected;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST_F(FileCheckpointTest, ReadsLongRowsInSeveralPanels) {
  config.hidden = 150000; // rows of 300 kB, more than one panel holds
  tensors.clear();
  for (const ExpectedTensor &tensor : getExpectedTensors(config))
    add(getSourceName(tensor.name, Naming::HuggingFace), tensor.shape);
  auto checkpoint = llvm::cantFail(create());
  const TensorInfo &w1 = *checkpoint->find("layers.0.feed_forward.w1");
  std::vector<float> values(size_t(4 * config.hidden));
  llvm::cantFail(checkpoint->readRowsAs(
      w1, DType::F32, 2, 4,
      {reinterpret_cast<char *>(values.data()), values.size() * 4}));
  std::string bytes = stored("model.layers.0.mlp.gate_proj.weight");
  size_t wrong = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, &bytes[(size_t(2 * config.hidden) + i) * 2], 2);
    wrong += std::bit_cast<uint32_t>(values[i]) != uint32_t(bits) << 16;
  }
  EXPECT_EQ(wrong, 0u);
  llvm::cantFail(checkpoint->readRowsAs(w1, DType::F32, 12, 0, {}));
}

TEST_F(FileCheckpointTest, NamesMissingTensors) {
  remove("model.layers.1.mlp.up_proj.weight");
  EXPECT_EQ(getMessage(create()),
            "m: tensor 'model.layers.1.mlp.up_proj.weight': is missing");
}

TEST_F(FileCheckpointTest, NamesWrongShapes) {
  get("model.layers.0.mlp.down_proj.weight").shape = {12, 8};
  EXPECT_EQ(getMessage(create()),
            "m.file: tensor 'model.layers.0.mlp.down_proj.weight': expected "
            "shape [8, 12], found [12, 8]");
  get("model.layers.0.mlp.down_proj.weight").shape = {8, 12, 1};
  EXPECT_EQ(getMessage(create()),
            "m.file: tensor 'model.layers.0.mlp.down_proj.weight': expected "
            "shape [8, 12], found [8, 12, 1]");
}

TEST_F(FileCheckpointTest, NamesTensorsThatNobodyAskedFor) {
  add("model.layers.0.self_attn.q_proj.bias", {8});
  EXPECT_EQ(getMessage(create()),
            "m: holds tensors that a Llama of these hyper-parameters does not "
            "have: 'model.layers.0.self_attn.q_proj.bias'");
  config.layers = 1;
  EXPECT_EQ(getMessage(create()),
            "m: holds tensors that a Llama of these hyper-parameters does not "
            "have: 'model.layers.1.input_layernorm.weight', "
            "'model.layers.1.self_attn.q_proj.weight', "
            "'model.layers.1.self_attn.k_proj.weight' and 7 more");
}

TEST_F(FileCheckpointTest, NamesTensorsThatAreThereTwice) {
  add("model.norm.weight", {8});
  EXPECT_EQ(getMessage(create()),
            "m.file: tensor 'model.norm.weight': is there twice, the first "
            "time in m.file");
}

TEST_F(FileCheckpointTest, IgnoresTablesOfFrequencies) {
  add("model.layers.0.self_attn.rotary_emb.inv_freq", {2}, DType::F32);
  EXPECT_EQ(getMessage(create()), "");
}

TEST_F(FileCheckpointTest, TiedEmbeddingsLeaveTheOutputUnread) {
  config.tiedEmbeddings = true;
  get("lm_head.weight").shape = {3}; // whatever it is
  auto checkpoint = llvm::cantFail(create());
  EXPECT_EQ(checkpoint->find("output"), nullptr);
  remove("lm_head.weight");
  EXPECT_EQ(getMessage(create()), "");
  config.tiedEmbeddings = false;
  EXPECT_EQ(getMessage(create()), "m: tensor 'lm_head.weight': is missing");
}

TEST_F(FileCheckpointTest, SaysWhatForeignTensorsAreCalled) {
  for (const char *prefix : {"module.", "_orig_mod.", "base_model.model."}) {
    std::vector<StoredTensor> wrapped = tensors;
    for (StoredTensor &tensor : wrapped)
      tensor.name = prefix + tensor.name;
    EXPECT_EQ(getMessage(createFileCheckpoint("m", wrapped, Naming::HuggingFace,
                                              config)),
              "");
  }
  std::vector<StoredTensor> adapted = tensors;
  adapted[3].name += ".lora_A.weight";
  EXPECT_EQ(getMessage(createFileCheckpoint("m", adapted, Naming::HuggingFace,
                                            config)),
            "m: holds tensors of a LoRA adapter, such as '" + adapted[3].name +
                "': merge it into its base model first (peft's "
                "merge_and_unload)");
  for (StoredTensor &tensor : tensors)
    tensor.name = "net." + tensor.name;
  EXPECT_EQ(getMessage(create()),
            "m: tensor 'model.embed_tokens.weight': is missing; no name is one "
            "of a Llama's, the first is '" +
                tensors[0].name + "'");
}

TEST(StoredBytes, AreCheckedForOverflow) {
  EXPECT_EQ(getStoredBytes(DType::F32, {2, 3}), 24);
  EXPECT_EQ(getStoredBytes(DType::F32, {}), 4);
  EXPECT_EQ(getStoredBytes(DType::Q4_0, {3, 64}), 3 * 36);
  EXPECT_EQ(getStoredBytes(DType::Q6_K, {2, 512}), 2 * 420);
  EXPECT_EQ(getStoredBytes(DType::F32, {0, 3}), 0);
  EXPECT_EQ(getStoredBytes(DType::Q4_0, {64, 33}), std::nullopt);
  EXPECT_EQ(getStoredBytes(DType::Q4_0, {}), std::nullopt);
  EXPECT_EQ(getStoredBytes(DType::F32, {-1}), std::nullopt);
  EXPECT_EQ(getStoredBytes(DType::F32, {-1, -1}), std::nullopt);
  EXPECT_EQ(getStoredBytes(DType::F32, {int64_t(1) << 31, int64_t(1) << 31}),
            std::nullopt);
  EXPECT_EQ(getStoredBytes(DType::F16, {int64_t(1) << 31, int64_t(1) << 30}),
            int64_t(1) << 62);
}

} // namespace
