//===- HuggingFaceFolderTest.cpp - Shards of Hugging Face's checkpoints ---===//
//
// An index, its shards, and what either can say that the other does not.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/HuggingFaceFolder.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <filesystem>

using namespace llamatest;
using namespace llamaweights;

namespace {

class Shards : public testing::Test {
protected:
  TempFolder folder;

  void writeShard(const std::string &name,
                  const std::vector<std::string> &tensors) {
    std::string header;
    for (size_t i = 0; i < tensors.size(); ++i)
      header += (i ? ", \"" : "\"") + tensors[i] +
                "\": " + R"({"dtype": "F32", "shape": [1], "data_offsets": [)" +
                std::to_string(4 * i) + ", " + std::to_string(4 * i + 4) + "]}";
    folder.write(name, makeSafetensors("{" + header + "}",
                                       makePattern(4 * tensors.size())));
  }
  std::string indexPath = folder.at("model.safetensors.index.json");
  void writeIndex(const std::string &map) {
    folder.write("model.safetensors.index.json",
                 R"({"metadata": {"total_size": 12}, "weight_map": {)" + map +
                     "}}");
  }
};

TEST_F(Shards, AreReadTogether) {
  writeShard("one.safetensors", {"a", "b"});
  writeShard("two.safetensors", {"c"});
  writeIndex(R"("a": "one.safetensors", "b": "one.safetensors",
                "c": "two.safetensors")");
  EXPECT_TRUE(hasSafetensors(folder.path));
  auto tensors = readSafetensorsFolder(folder.path);
  ASSERT_TRUE(bool(tensors)) << getMessage(std::move(tensors));
  EXPECT_EQ(tensors->size(), 3u);
  EXPECT_EQ(findStored(*tensors, "c")->file->getPath(),
            folder.at("two.safetensors"));
}

TEST_F(Shards, ASingleFileComesFirst) {
  writeShard("model.safetensors", {"a"});
  writeIndex(R"("b": "missing.safetensors")");
  auto tensors = readSafetensorsFolder(folder.path);
  ASSERT_TRUE(bool(tensors)) << getMessage(std::move(tensors));
  EXPECT_EQ(tensors->size(), 1u);
}

TEST_F(Shards, MissingShard) {
  EXPECT_FALSE(hasSafetensors(folder.path));
  writeIndex(R"("a": "one.safetensors")");
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            folder.at("one.safetensors") +
                ": cannot be opened: No such file or directory");
}

TEST_F(Shards, TruncatedShard) {
  writeShard("one.safetensors", {"a", "b"});
  writeIndex(R"("a": "one.safetensors", "b": "one.safetensors")");
  std::string path = folder.at("one.safetensors");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            path + ": tensor 'b': ends at byte 8 of the data section, which "
                   "has 7 bytes");
}

TEST_F(Shards, PathsOutOfTheFolder) {
  for (std::string shard :
       {"../one.safetensors", "/etc/passwd", "a/b.safetensors", "..", ".", "",
        "a\\u0000b", "./one.safetensors"}) {
    writeIndex("\"a\": \"" + shard + "\"");
    std::string message = getMessage(readSafetensorsFolder(folder.path));
    std::string expected = indexPath + ": key 'weight_map.a': expected the "
                                       "name of a file in the same folder, "
                                       "found '";
    EXPECT_EQ(message.substr(0, expected.size()), expected) << shard;
  }
}

TEST_F(Shards, IndexAndShardsDisagree) {
  writeShard("one.safetensors", {"a", "b"});
  writeIndex(R"("a": "one.safetensors")");
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            folder.at("one.safetensors") +
                ": tensor 'b': is not what model.safetensors.index.json lists "
                "for this file");
  writeIndex(R"("a": "one.safetensors", "b": "one.safetensors",
                "c": "one.safetensors")");
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            indexPath + ": tensor 'c': is not in 'one.safetensors'");
}

TEST_F(Shards, TheSameTensorInTwoShards) {
  writeShard("one.safetensors", {"a"});
  writeShard("two.safetensors", {"a", "b"});
  writeIndex(R"("a": "one.safetensors", "b": "two.safetensors")");
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            folder.at("two.safetensors") +
                ": tensor 'a': is not what model.safetensors.index.json lists "
                "for this file");
}

TEST_F(Shards, BrokenIndex) {
  folder.write("model.safetensors.index.json", R"({"weights": {}})");
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            indexPath + ": key 'weights': is not known");
  folder.write("model.safetensors.index.json", R"({"weight_map": 3})");
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            indexPath + ": key 'weight_map': expected an object, found 3");
  writeIndex(R"("a": 3)");
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            indexPath + ": key 'weight_map.a': expected a string, found 3");
}

TEST_F(Shards, AFolderInPlaceOfAShard) {
  std::filesystem::create_directory(folder.at("one.safetensors"));
  writeIndex(R"("a": "one.safetensors")");
  EXPECT_EQ(getMessage(readSafetensorsFolder(folder.path)),
            folder.at("one.safetensors") +
                ": expected a regular file, found a folder");
}

} // namespace
