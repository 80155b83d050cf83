//===- NpyFolderTest.cpp - Folders of *.npy files -------------------------===//
//
// Names of files are names of tensors.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/NpyFolder.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <filesystem>

using namespace llamatest;
using namespace llamaweights;

namespace {

TEST(NpyFolder, ReadsAFolderByName) {
  TempFolder folder;
  std::string array = makeNpy(makeNpyHeader("<f2", "(2,)"), "abcd");
  folder.write("b.weight.npy", array);
  folder.write("a.weight.npy", array);
  folder.write("notes.txt", "nothing");
  EXPECT_FALSE(hasNpy(folder.path));
  folder.write("tok_embeddings.weight.npy", array);
  EXPECT_TRUE(hasNpy(folder.path));
  auto tensors = readNpyFolder(folder.path);
  ASSERT_TRUE(bool(tensors)) << getMessage(std::move(tensors));
  ASSERT_EQ(tensors->size(), 3u);
  EXPECT_EQ((*tensors)[0].name, "a.weight");
  EXPECT_EQ((*tensors)[1].name, "b.weight");
  char bytes[4];
  llvm::cantFail((*tensors)[0].file->read((*tensors)[0].offset, bytes));
  EXPECT_EQ(std::string(bytes, 4), "abcd");
}

TEST(NpyFolder, RefusesAFolderOfThatName) {
  TempFolder folder;
  std::filesystem::create_directory(folder.at("x.npy"));
  EXPECT_EQ(getMessage(readNpyFolder(folder.path)),
            folder.at("x.npy") + ": expected a regular file, found a folder");
}

} // namespace
