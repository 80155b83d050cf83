//===- WholeFileTest.cpp - Files that are whole or absent -----------------===//

#include "files/WholeFile.h"

#include "files/InputFiles.h"
#include "test/files/NewFolder.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/stat.h>

using namespace llamafiles;

namespace {

std::string getProblem(const std::string &path, Order order) {
  try {
    WholeFile file(path, order);
    return "";
  } catch (const std::runtime_error &error) {
    return error.what();
  }
}

TEST(WholeFile, IsThereWhenItIsFinished) {
  NewFolder folder;
  folder.write("x", "before");
  {
    WholeFile file(folder.at("x"), Order::Anywhere);
    file.write("abcd");
    file.seek(1);
    file.write("X");
    EXPECT_EQ(folder.read("x"), "before");
    file.finish();
  }
  EXPECT_EQ(folder.read("x"), "aXcd");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(WholeFile, LeavesNothingOtherwise) {
  NewFolder folder;
  {
    WholeFile(folder.at("x"), Order::Streamed).write("abcd");
  }
  EXPECT_EQ(folder.count(), 0u);
  EXPECT_EQ(getProblem(folder.at("none/x"), Order::Streamed),
            folder.at("none/x") + ": No such file or directory");
  EXPECT_EQ(getProblem(folder.path, Order::Streamed),
            folder.path + ": cannot be written: it is a directory");
}

TEST(WholeFile, FollowsLinksAndKeepsPermissions) {
  NewFolder folder;
  std::string target = folder.write("target", "before");
  chmod(target.c_str(), 0640);
  std::filesystem::create_symlink("target", folder.at("link"));
  std::filesystem::create_symlink("absent", folder.at("dangling"));
  for (const char *name : {"link", "dangling"}) {
    WholeFile file(folder.at(name), Order::Streamed);
    file.write("after");
    file.finish();
    EXPECT_TRUE(std::filesystem::is_symlink(folder.at(name)));
  }
  EXPECT_EQ(folder.read("target"), "after");
  EXPECT_EQ(folder.read("absent"), "after");
  struct stat status = {};
  stat(target.c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST(WholeFile, IsNoInput) {
  NewFolder folder;
  std::string input = folder.write("input");
  std::filesystem::create_hard_link(input, folder.at("hard"));
  noteInput(input);
  EXPECT_EQ(getProblem(folder.at("hard"), Order::Streamed),
            folder.at("hard") +
                ": is a file that is read, expected another one to write");
}

// Noted after it was opened for writing, but before it would be replaced.
TEST(WholeFile, IsNoInputAtTheEndEither) {
  NewFolder folder;
  std::string path = folder.write("x", "before");
  WholeFile file(path, Order::Streamed);
  noteInput(path);
  EXPECT_THROW(file.finish(), std::runtime_error);
  EXPECT_EQ(folder.read("x"), "before");
}

TEST(WholeFile, PipesTakeWhatIsWrittenInOrder) {
  NewFolder folder;
  std::string pipe = folder.at("pipe");
  mkfifo(pipe.c_str(), 0600);
  EXPECT_EQ(getProblem(pipe, Order::Anywhere),
            pipe + ": is a pipe, expected a file, for this is not written from "
                   "its beginning to its end");
  EXPECT_EQ(getProblem("-", Order::Anywhere),
            "standard output: expected a file of its own, for this is not "
            "written from its beginning to its end");
  EXPECT_EQ(getProblem("/dev/null", Order::Anywhere), "");
}

TEST(Outputs, AreAFileEach) {
  NewFolder folder;
  std::string one = folder.write("one"), other = folder.at("other");
  std::filesystem::create_symlink("one", folder.at("link"));
  EXPECT_EQ(checkOutputs({}), "");
  EXPECT_EQ(checkOutputs({{one, Order::Streamed}, {other, Order::Anywhere}}),
            "");
  for (const std::string &same : {one, folder.at("./one"), folder.at("link")})
    EXPECT_EQ(checkOutputs({{one, Order::Streamed}, {same, Order::Streamed}}),
              same + ": is where two outputs go, expected a file for each");
  EXPECT_EQ(checkOutputs({{folder.at("new/x"), Order::Streamed},
                          {folder.at("new/../new/x"), Order::Anywhere}}),
            folder.at("new/../new/x") +
                ": is where two outputs go, expected a file for each");
  EXPECT_EQ(checkOutputs({{"/dev/null", Order::Streamed},
                          {"/dev/null", Order::Streamed}}),
            "");
}

} // namespace
