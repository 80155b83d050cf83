//===- InputFileTest.cpp - Bytes of a file, read where they are asked for -===//
//
// What is read, and what happens when the file is not one, or is no longer what
// it was.
//
//===----------------------------------------------------------------------===//

#include "weights/InputFile.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <filesystem>
#include <sys/stat.h>
#include <thread>

using namespace llamatest;
using namespace llamaweights;

namespace {

std::string readPart(const InputFile &file, uint64_t offset, size_t count) {
  std::string bytes(count, '\0');
  llvm::Error error = file.read(offset, {bytes.data(), bytes.size()});
  return error ? "error: " + getMessage(std::move(error)) : bytes;
}

TEST(InputFile, ReadsAnyPart) {
  TempFolder folder;
  std::string bytes = makePattern(100000);
  std::string path = folder.write("file", bytes);
  for (auto handle : {InputFile::Handle::Kept, InputFile::Handle::Reopened}) {
    auto file = InputFile::open(path, handle);
    ASSERT_TRUE(bool(file)) << getMessage(std::move(file));
    EXPECT_EQ((*file)->getSize(), bytes.size());
    EXPECT_EQ(readPart(**file, 0, 3), bytes.substr(0, 3));
    EXPECT_EQ(readPart(**file, 77777, 22223), bytes.substr(77777));
    EXPECT_EQ(readPart(**file, bytes.size(), 0), "");
    EXPECT_EQ(llvm::cantFail((*file)->readAll(bytes.size())), bytes);
  }
  auto memory = InputFile::fromMemory("memory", bytes);
  EXPECT_EQ(readPart(*memory, 77777, 22223), bytes.substr(77777));
}

TEST(InputFile, IsSharedByThreads) {
  TempFolder folder;
  std::string bytes = makePattern(1 << 20);
  std::string path = folder.write("file", bytes);
  for (auto handle : {InputFile::Handle::Kept, InputFile::Handle::Reopened}) {
    auto file = llvm::cantFail(InputFile::open(path, handle));
    std::vector<int> wrong(4);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (size_t i = size_t(t); i + 5000 < bytes.size(); i += 40009)
          wrong[size_t(t)] += readPart(*file, i, 5000) != bytes.substr(i, 5000);
      });
    for (std::thread &thread : threads)
      thread.join();
    EXPECT_EQ(wrong, std::vector<int>(4));
  }
}

TEST(InputFile, RefusesWhatIsNotARegularFile) {
  TempFolder folder;
  EXPECT_EQ(getMessage(InputFile::open(folder.at("none"))),
            folder.at("none") +
                ": cannot be opened: No such file or directory");
  EXPECT_EQ(getMessage(InputFile::open(folder.path)),
            folder.path + ": expected a regular file, found a folder");
  ASSERT_EQ(::mkfifo(folder.at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(getMessage(InputFile::open(folder.at("pipe"))),
            folder.at("pipe") + ": expected a regular file, found a pipe");
  EXPECT_EQ(getMessage(InputFile::open("/dev/null")),
            "/dev/null: expected a regular file, found a device");
}

TEST(InputFile, RefusesMoreThanTheLimit) {
  auto file = InputFile::fromMemory("notes", "12345");
  EXPECT_EQ(getMessage(file->readAll(4)),
            "notes: has 5 bytes, expected at most 4");
}

TEST(InputFile, NoticesThatTheFileShrank) {
  TempFolder folder;
  std::string path = folder.write("file", std::string(100, 'x'));
  auto file = llvm::cantFail(InputFile::open(path));
  std::filesystem::resize_file(path, 60);
  EXPECT_EQ(readPart(*file, 0, 60), std::string(60, 'x'));
  EXPECT_EQ(readPart(*file, 50, 50),
            "error: " + path +
                ": ends at byte 60: it was longer when it was opened");
}

TEST(InputFile, NoticesThatAReopenedFileWasReplaced) {
  TempFolder folder;
  std::string path = folder.write("file", "old bytes");
  auto file =
      llvm::cantFail(InputFile::open(path, InputFile::Handle::Reopened));
  std::filesystem::rename(folder.write("other", "new bytes"), path);
  EXPECT_EQ(readPart(*file, 0, 9),
            "error: " + path + ": is not the file that was opened before");
  std::filesystem::remove(path);
  EXPECT_EQ(readPart(*file, 0, 9), "error: " + path +
                                       ": cannot be opened: No such file or "
                                       "directory");
}

} // namespace
