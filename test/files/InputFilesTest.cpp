//===- InputFilesTest.cpp - What a process reads, under any name ----------===//

#include "files/InputFiles.h"

#include "test/files/NewFolder.h"

#include <chrono>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

using namespace llamafiles;

namespace {

TEST(InputFiles, AreKnownThroughLinksOfBothKinds) {
  NewFolder folder;
  std::string file = folder.write("file"), other = folder.write("other");
  std::filesystem::create_hard_link(file, folder.at("hard"));
  std::filesystem::create_symlink("hard", folder.at("soft"));
  EXPECT_FALSE(isInput(file));
  noteInput(folder.at("soft"));
  for (const char *name : {"file", "hard", "soft"})
    EXPECT_TRUE(isInput(folder.at(name))) << name;
  EXPECT_FALSE(isInput(other));
  EXPECT_FALSE(isInput(folder.at("none")));
  EXPECT_FALSE(isInput(folder.path));

  int descriptor = open(other.c_str(), O_RDONLY);
  EXPECT_FALSE(isInput(descriptor));
  noteInput(descriptor);
  EXPECT_TRUE(isInput(descriptor));
  EXPECT_TRUE(isInput(other));
  close(descriptor);
}

TEST(InputFiles, DevicesAreNone) {
  noteInput("/dev/null");
  EXPECT_FALSE(isInput("/dev/null"));
}

// File systems give the numbers of files that are gone to new ones. Their
// clocks tick every few milliseconds.
TEST(InputFiles, FileThatIsGoneIsNoOther) {
  NewFolder folder;
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::string file = folder.write("file");
    ASSERT_FALSE(isInput(file));
    noteInput(file);
    ASSERT_TRUE(isInput(file));
    std::filesystem::remove(file);
  }
}

TEST(InputFiles, FolderOfACheckpointIsReadWhole) {
  NewFolder folder;
  for (const char *name :
       {"config.json", "tokenizer.model", "model-00001-of-00002.safetensors",
        "added_tokens.json", "chat_template.jinja"})
    folder.write(name);
  for (const char *name : {"model.so", "report.json", "fused.mlir", "a.gguf"})
    folder.write(name);
  noteInputFolder(folder.path);
  EXPECT_TRUE(isInput(folder.at("config.json")));
  EXPECT_TRUE(isInput(folder.at("tokenizer.model")));
  EXPECT_TRUE(isInput(folder.at("model-00001-of-00002.safetensors")));
  EXPECT_TRUE(isInput(folder.at("added_tokens.json")));
  EXPECT_TRUE(isInput(folder.at("chat_template.jinja")));
  EXPECT_FALSE(isInput(folder.at("model.so")));
  EXPECT_FALSE(isInput(folder.at("report.json")));
  EXPECT_FALSE(isInput(folder.at("fused.mlir")));
  EXPECT_FALSE(isInput(folder.at("a.gguf")));
}

} // namespace
