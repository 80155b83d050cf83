//===- OutputFileTest.cpp - Files that are whole or absent ----------------===//
//
// What is there before a file is kept, after it, and when it never is.
//
//===----------------------------------------------------------------------===//

#include "weights/OutputFile.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"
#include "weights/InputFile.h"

#include <filesystem>

using namespace llamatest;
using namespace llamaweights;

namespace {

size_t countFiles(const std::string &folder) {
  return size_t(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(OutputFile, IsThereWhenItIsKept) {
  TempFolder folder;
  folder.write("x", "before");
  {
    auto file = llvm::cantFail(OutputFile::create(folder.at("x")));
    llvm::cantFail(file.appendText("abcd"));
    llvm::cantFail(file.write(1, llvm::ArrayRef<char>({'X'})));
    llvm::cantFail(file.pad(8));
    EXPECT_EQ(file.getSize(), 8u);
    char back[3];
    llvm::cantFail(file.read(1, back));
    EXPECT_EQ(std::string(back, 3), "Xcd");
    EXPECT_EQ(getMessage(file.read(6, back)),
              folder.at("x") + ": cannot be read back: it ends too early");
    EXPECT_EQ(readFile(folder.at("x")), "before");
    llvm::cantFail(file.keep());
  }
  EXPECT_EQ(readFile(folder.at("x")), std::string("aXcd\0\0\0\0", 8));
  EXPECT_EQ(countFiles(folder.path), 1u);
}

TEST(OutputFile, LeavesNothingOtherwise) {
  TempFolder folder;
  {
    auto file = llvm::cantFail(OutputFile::create(folder.at("x")));
    llvm::cantFail(file.appendText("abcd"));
  }
  EXPECT_EQ(countFiles(folder.path), 0u);
  EXPECT_EQ(getMessage(OutputFile::create(folder.path)),
            folder.path + ": cannot be written: it is a directory");
  EXPECT_EQ(getMessage(OutputFile::create(folder.at("none/x"))),
            folder.at("none/x") +
                ": cannot be written: No such file or directory");
}

TEST(OutputFile, MayBeExecutable) {
  TempFolder folder;
  for (bool isExecutable : {false, true}) {
    auto file = llvm::cantFail(OutputFile::create(folder.at("x")));
    llvm::cantFail(file.keep(isExecutable));
    auto rights = std::filesystem::status(folder.at("x")).permissions();
    EXPECT_EQ((rights & std::filesystem::perms::owner_exec) !=
                  std::filesystem::perms::none,
              isExecutable);
  }
}

TEST(OutputFile, WritesToADeviceWhereItIs) {
  {
    auto file = llvm::cantFail(OutputFile::create("/dev/null"));
    llvm::cantFail(file.appendText("abcd"));
    llvm::cantFail(file.keep());
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  }
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(OutputFile, FollowsLinksAndKeepsPermissions) {
  TempFolder folder;
  folder.write("target", "before");
  std::filesystem::permissions(folder.at("target"),
                               std::filesystem::perms(0640));
  std::filesystem::create_symlink("target", folder.at("link"));
  auto file = llvm::cantFail(OutputFile::create(folder.at("link")));
  llvm::cantFail(file.appendText("after"));
  llvm::cantFail(file.keep(/*isExecutable=*/true));
  EXPECT_TRUE(std::filesystem::is_symlink(folder.at("link")));
  EXPECT_EQ(readFile(folder.at("target")), "after");
  EXPECT_EQ(std::filesystem::status(folder.at("target")).permissions(),
            std::filesystem::perms(0750));
}

TEST(OutputFile, IsNoFileThatIsRead) {
  TempFolder folder;
  folder.write("input", "before");
  auto input = llvm::cantFail(InputFile::open(folder.at("input")));
  std::filesystem::create_hard_link(folder.at("input"), folder.at("hard"));
  std::string why = ": is a file that is read, expected another one to write";
  EXPECT_EQ(getMessage(OutputFile::create(folder.at("hard"))),
            folder.at("hard") + why);

  // Opened after the output was.
  folder.write("x", "before");
  auto file = llvm::cantFail(OutputFile::create(folder.at("x")));
  auto late = llvm::cantFail(InputFile::open(folder.at("x")));
  EXPECT_EQ(getMessage(file.keep()), folder.at("x") + why);
  EXPECT_EQ(readFile(folder.at("x")), "before");
}

TEST(OutputFolder, IsThereWhenItIsKept) {
  TempFolder parent;
  {
    auto folder = llvm::cantFail(OutputFolder::create(parent.at("out/")));
    llvm::cantFail(folder.writeFile("a/b/c", "text"));
    EXPECT_FALSE(std::filesystem::exists(parent.at("out")));
    llvm::cantFail(folder.keep());
  }
  EXPECT_EQ(readFile(parent.at("out/a/b/c")), "text");
  EXPECT_EQ(countFiles(parent.path), 1u);
  EXPECT_EQ(getMessage(OutputFolder::create(parent.at("out"))),
            parent.at("out") + ": is there already, and not empty");
}

TEST(OutputFolder, LeavesNothingOtherwise) {
  TempFolder parent;
  {
    auto folder = llvm::cantFail(OutputFolder::create(parent.at("out")));
    llvm::cantFail(folder.writeFile("a", "text"));
    EXPECT_EQ(countFiles(parent.path), 1u);
  }
  EXPECT_EQ(countFiles(parent.path), 0u);
}

} // namespace
