//===- FolderFilesTest.cpp - The files of a checkpoint folder -------------===//
//
// Where links may lead.
//
//===----------------------------------------------------------------------===//

#include "weights/FolderFiles.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <filesystem>

using namespace llamatest;
using namespace llamaweights;

namespace {

TEST(FolderFiles, LinksStayInTheFolderUnlessTheUserSaysSo) {
  TempFolder outside, folder;
  std::string target = outside.write("secret", "1234");
  folder.write("real", "12");
  std::filesystem::create_symlink("real", folder.at("inside"));
  std::filesystem::create_symlink(target, folder.at("out"));
  std::filesystem::create_symlink("out", folder.at("indirect"));
  auto open = [&](const std::string &name, LinkPolicy links) {
    return getMessage(openInFolder(folder.path, name, links));
  };
  EXPECT_EQ(open("real", LinkPolicy::WithinFolder), "");
  EXPECT_EQ(open("inside", LinkPolicy::WithinFolder), "");
  for (const std::string name : {"out", "indirect"}) {
    std::string real = std::filesystem::canonical(target);
    EXPECT_EQ(open(name, LinkPolicy::WithinFolder),
              folder.at(name) + ": is a link out of its folder, to '" + real +
                  "'; --follow-links permits that");
    EXPECT_EQ(open(name, LinkPolicy::Anywhere), "");
  }
  EXPECT_EQ(open("none", LinkPolicy::WithinFolder),
            folder.at("none") +
                ": cannot be opened: No such file or directory");
}

TEST(FolderFiles, AFolderWhoseNameBeginsAlikeIsAnother) {
  TempFolder parent;
  parent.write("model/x", "1");
  parent.write("model-secret/y", "1");
  std::filesystem::create_symlink("../model-secret/y", parent.at("model/z"));
  EXPECT_NE(getMessage(openInFolder(parent.at("model"), "z",
                                    LinkPolicy::WithinFolder)),
            "");
}

TEST(FolderFiles, TheCacheOfTheHubKeepsFilesBesideItsSnapshots) {
  TempFolder cache;
  cache.write("models--a--b/blobs/0123", "1");
  cache.write("models--a--b/snapshots/main/config.json", "{}");
  std::string folder = cache.at("models--a--b/snapshots/main");
  std::filesystem::create_symlink("../../blobs/0123", folder + "/x");
  EXPECT_EQ(getMessage(openInFolder(folder, "x", LinkPolicy::WithinFolder)),
            "");
}

TEST(FolderFiles, NamesAreSortedAndChosenByTheirEnds) {
  TempFolder folder;
  for (const char *name : {"b.npy", "a.npy", "a.txt", ".npy", "npy"})
    folder.write(name, "");
  auto names = listFolder(folder.path, "", ".npy");
  ASSERT_TRUE(bool(names)) << getMessage(std::move(names));
  EXPECT_EQ(*names, (std::vector<std::string>{".npy", "a.npy", "b.npy"}));
  EXPECT_EQ(getMessage(listFolder(folder.at("none"), "", "")),
            folder.at("none") +
                ": cannot be listed: No such file or directory");
}

} // namespace
