//===- MetaFolderTest.cpp - consolidated.NN.pth ---------------------------===//
//
// Shards that do not belong together. Shards that do are in FormatsTest.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/MetaFolder.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

StoredTensor makeTensor(const std::string &file, const std::string &name,
                        const std::vector<int64_t> &shape,
                        DType dtype = DType::F32) {
  StoredTensor tensor;
  tensor.name = name;
  tensor.shape = shape;
  tensor.dtype = dtype;
  tensor.file = InputFile::fromMemory(file, makePattern(4096));
  return tensor;
}

ModelConfig makeConfig() {
  ModelConfig config;
  config.hidden = 8;
  config.heads = 4;
  config.kvHeads = 2;
  config.headDim = 2;
  return config;
}

std::vector<int64_t> getMergedShape(const std::string &name,
                                    const std::vector<int64_t> &shape,
                                    int shards) {
  MetaShards parts;
  for (int i = 0; i < shards; ++i)
    parts.push_back({makeTensor(std::to_string(i), name, shape)});
  auto merged = mergeMetaShards(std::move(parts), makeConfig());
  EXPECT_TRUE(bool(merged)) << getMessage(std::move(merged));
  return merged ? (*merged)[0].shape : std::vector<int64_t>();
}

TEST(MetaFolder, TheNameSaysAlongWhichAxis) {
  using Shape = std::vector<int64_t>;
  std::string at = "layers.0.";
  EXPECT_EQ(getMergedShape(at + "attention.wq.weight", {4, 8}, 2),
            (Shape{8, 8}));
  EXPECT_EQ(getMergedShape(at + "attention.wo.weight", {8, 4}, 2),
            (Shape{8, 8}));
  EXPECT_EQ(getMergedShape(at + "feed_forward.w2.weight", {8, 3}, 3),
            (Shape{8, 9}));
  EXPECT_EQ(getMergedShape(at + "attention_norm.weight", {8}, 2), (Shape{8}));
  EXPECT_EQ(getMergedShape("tok_embeddings.weight", {5, 8}, 2),
            (Shape{10, 8})); // Llama 3
  EXPECT_EQ(getMergedShape("tok_embeddings.weight", {5, 4}, 2),
            (Shape{5, 8})); // Llama 2
  // Two key-value heads in four files: each is there twice.
  EXPECT_EQ(getMergedShape(at + "attention.wk.weight", {2, 8}, 4),
            (Shape{4, 8}));
}

TEST(MetaFolder, RefusesShardsThatDoNotBelongTogether) {
  std::string name = "layers.0.attention.wq.weight";
  auto merge = [&](StoredTensor second) {
    MetaShards shards;
    shards.push_back({makeTensor("0", name, {4, 8})});
    shards.push_back({std::move(second)});
    return getMessage(mergeMetaShards(std::move(shards), makeConfig()));
  };
  EXPECT_EQ(merge(makeTensor("1", name, {4, 8})), "");
  EXPECT_EQ(merge(makeTensor("1", "other", {4, 8})),
            "1: tensor '" + name + "': is missing");
  EXPECT_EQ(merge(makeTensor("1", name, {4, 6})),
            "1: tensor '" + name +
                "': is [4, 6] of f32, but consolidated.00.pth has [4, 8] of "
                "f32");
  EXPECT_EQ(merge(makeTensor("1", name, {4, 8}, DType::BF16)),
            "1: tensor '" + name +
                "': is [4, 8] of bf16, but consolidated.00.pth has [4, 8] of "
                "f32");
}

TEST(MetaFolder, NamesTheMissingFile) {
  TempFolder folder;
  folder.write("consolidated.01.pth", "");
  EXPECT_FALSE(hasMetaShards(folder.path));
  EXPECT_EQ(getMessage(readMetaShards(folder.path, LinkPolicy::Anywhere)),
            folder.path + ": expected 'consolidated.00.pth', found "
                          "'consolidated.01.pth'");
}

} // namespace
