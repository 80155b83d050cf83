//===- BackgroundCopyTest.cpp ---------------------------------------------===//

#include "runtime/Model/BackgroundCopy.h"

#include "test/runtime/ForkedProcess.h"
#include "test/runtime/Model/FileTree.h"
#include "test/runtime/ThreadCount.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace llamart;
using State = BackgroundCopy::State;

namespace {

constexpr uint64_t kMB = uint64_t(1) << 20;

/// A machine whose memory and huge pages are what a test says.
class BackgroundCopyTest : public FileTree {
protected:
  BackgroundCopyTest() {
    setHugePages("always [madvise] never");
    setAvailable(1000 * kMB);
  }

  void setHugePages(const std::string &text) const {
    write("/sys/kernel/mm/transparent_hugepage/enabled", text);
  }
  void setAvailable(uint64_t size) const {
    write("/proc/meminfo",
          "MemAvailable: " + std::to_string(size / 1024) + " kB");
  }

  static std::vector<char> makeBytes(uint64_t count) {
    std::vector<char> bytes(count);
    for (uint64_t i = 0; i < count; ++i)
      bytes[i] = static_cast<char>(i * 2654435761U >> 13);
    return bytes;
  }

  /// The state that a copy of `size` bytes ends in.
  State getEnd(uint64_t size) const {
    std::vector<char> bytes(size);
    return getEndOf(bytes.data(), size);
  }
  State getEndOf(const char *data, uint64_t size) const {
    BackgroundCopy copy(data, size, BackgroundCopy::Original::File, root);
    return wait(copy);
  }

  static State wait(BackgroundCopy &copy) {
    copy.finish();
    return copy.getState();
  }
};

TEST_F(BackgroundCopyTest, DoesNothingBeforeItIsToldTo) { // (B1)
  std::vector<char> bytes(64 * kMB);
  BackgroundCopy copy(bytes.data(), bytes.size(),
                      BackgroundCopy::Original::File, root);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(copy.getState(), State::NotBegun);
  EXPECT_EQ(copy.getCopy(), nullptr);
}

TEST_F(BackgroundCopyTest, IsWholeOnceItIsSeen) { // (B2)
  // Not a whole number of huge pages, nor of pages; of a file, to which pages
  // are given back at the end.
  uint64_t size = 64 * kMB + 12345;
  std::string path = root + "/weights";
  std::vector<char> bytes = makeBytes(size);
  std::ofstream(path, std::ios::binary).write(bytes.data(), int64_t(size));
  FILE *file = std::fopen(path.c_str(), "rb");
  Pages mapped = Pages::mapFile(fileno(file), size);
  std::fclose(file);
  BackgroundCopy copy(mapped.getData(), size, BackgroundCopy::Original::File,
                      root);
  copy.begin();
  copy.begin(); // changes nothing
  const char *found = nullptr;
  while (!(found = copy.getCopy()))
    std::this_thread::yield();
  EXPECT_NE(found, mapped.getData());
  EXPECT_EQ(std::memcmp(found, bytes.data(), size), 0);
  EXPECT_EQ(wait(copy), State::Done);
  EXPECT_EQ(copy.getCopy(), found);
  EXPECT_TRUE(copy.describe().starts_with("copied into huge pages, in "));
  // Who still has the old pointer reads the same.
  EXPECT_EQ(std::memcmp(mapped.getData(), bytes.data(), size), 0);
}

TEST_F(BackgroundCopyTest, IsMadeOnceHoweverManyThreadsBeginIt) {
  std::vector<char> bytes(64 * kMB);
  BackgroundCopy copy(bytes.data(), bytes.size(),
                      BackgroundCopy::Original::File, root);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        copy.begin();
        (void)copy.getCopy();
        (void)copy.getState();
      });
  }
  EXPECT_EQ(wait(copy), State::Done);
}

TEST_F(BackgroundCopyTest, EndsInItsMidst) { // (B4)
  std::vector<char> bytes = makeBytes(64 * kMB);
  for (int i = 0; i < 20; ++i) {
    BackgroundCopy copy(bytes.data(), bytes.size(),
                        BackgroundCopy::Original::File, root);
    copy.begin();
  }
}

// A fork has no thread that would go on, and must not wait for it.
TEST_F(BackgroundCopyTest, DoesNotHoldUpAFork) {
  std::vector<char> bytes = makeBytes(256 * kMB);
  auto copy = std::make_unique<BackgroundCopy>(
      bytes.data(), bytes.size(), BackgroundCopy::Original::File, root);
  copy->begin();
  EXPECT_EQ(runForked([&] {
              copy.reset();
              return 7;
            }),
            7);
}

// One that has not begun can be made there.
TEST_F(BackgroundCopyTest, CanBeMadeInAFork) {
  std::vector<char> bytes = makeBytes(64 * kMB);
  BackgroundCopy copy(bytes.data(), bytes.size(),
                      BackgroundCopy::Original::File, root);
  EXPECT_EQ(runForked([&] { return int(wait(copy) == State::Done); }), 1);
  EXPECT_EQ(copy.getState(), State::NotBegun);
}

TEST_F(BackgroundCopyTest, OfLittleIsNotMade) {
  EXPECT_EQ(getEnd(64 * kMB - 1), State::TooSmall);
  EXPECT_EQ(getEnd(64 * kMB), State::Done);
  EXPECT_EQ(getEnd(0), State::TooSmall);
}

TEST_F(BackgroundCopyTest, LeavesAFifthOfTheMemory) { // (B3)
  setAvailable(79 * kMB);
  EXPECT_EQ(getEnd(64 * kMB), State::NoMemory);
  setAvailable(80 * kMB);
  EXPECT_EQ(getEnd(64 * kMB), State::Done);
  write("/proc/meminfo", "MemFree: 1000000 kB");
  EXPECT_EQ(getEnd(64 * kMB), State::NoMemory);
}

TEST_F(BackgroundCopyTest, IsNotMadeBeyondALimitOfItsGroup) { // (B3)
  write("/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0");
  write("/proc/self/cgroup", "0::/job");
  write("/sys/fs/cgroup/job/memory.max", std::to_string(100 * kMB));
  write("/sys/fs/cgroup/job/memory.current", std::to_string(50 * kMB));
  EXPECT_EQ(getEnd(64 * kMB), State::NoMemory);
}

TEST_F(BackgroundCopyTest, IsNotMadeWhereThereAreNoHugePages) { // (B3)
  setHugePages("always madvise [never]");
  EXPECT_EQ(getEnd(64 * kMB), State::NoHugePages);
  setHugePages("[always] madvise never");
  EXPECT_EQ(getEnd(64 * kMB), State::Done);
  std::filesystem::remove_all(root + "/sys");
  EXPECT_EQ(getEnd(64 * kMB), State::NoHugePages);
}

TEST_F(BackgroundCopyTest, IsNotMadeIfTheSystemRefuses) { // (B3)
  uint64_t size = uint64_t(1) << 60;
  setAvailable(2 * size);
  EXPECT_EQ(getEndOf(nullptr, size), State::NoMemory);
}

/// Holds the thread of a copy where it first asks how much memory there is.
class HeldCopyTest : public BackgroundCopyTest {
protected:
  HeldCopyTest() {
    original = Pages::reserve(100 * kMB, HugePages::Never);
    copy =
        std::make_unique<BackgroundCopy>(original.getData(), original.getSize(),
                                         BackgroundCopy::Original::File, root);
    std::filesystem::remove(root + "/proc/meminfo");
    mkfifo((root + "/proc/meminfo").c_str(), 0600);
    copy->begin();
    answer = open((root + "/proc/meminfo").c_str(), O_WRONLY); // once it reads
  }
  ~HeldCopyTest() override {
    if (copy)
      release();
  }

  /// Says that there is enough. The next time there are `later` bytes.
  State release(uint64_t later = 1000 * kMB) {
    if (answer >= 0) {
      std::filesystem::remove(root + "/proc/meminfo");
      setAvailable(later);
      EXPECT_GT(dprintf(answer, "MemAvailable: 1000000 kB\n"), 0);
      close(std::exchange(answer, -1));
    }
    return wait(*copy);
  }

  Pages original;
  std::unique_ptr<BackgroundCopy> copy;
  int answer = -1;
};

TEST_F(HeldCopyTest, IsNotSeenBeforeItIsWhole) { // (B2)
  EXPECT_EQ(copy->getState(), State::Running);
  EXPECT_EQ(copy->getCopy(), nullptr);
  EXPECT_EQ(copy->describe(), "mapped; a copy is being made");
  EXPECT_EQ(release(), State::Done);
  EXPECT_NE(copy->getCopy(), nullptr);
}

// Others may take the memory while the copy is made.
TEST_F(HeldCopyTest, IsGivenUpWhenMemoryRunsShort) { // (B3)
  EXPECT_EQ(release(0), State::NoMemory);
  EXPECT_EQ(copy->getCopy(), nullptr);
}

/// Whether a thread of this process has a lower priority than the caller, in the
/// class for batches, and gets no SIGTERM.
bool hasBatchThread() {
  for (const auto &task :
       std::filesystem::directory_iterator("/proc/self/task")) {
    pid_t id = std::stoi(task.path().filename());
    std::ifstream status(task.path() / "status");
    std::string word;
    while (status >> word && word != "SigBlk:")
      ;
    uint64_t blocked = 0;
    status >> std::hex >> blocked;
    if (sched_getscheduler(id) == SCHED_BATCH &&
        getpriority(PRIO_PROCESS, id) > getpriority(PRIO_PROCESS, 0) &&
        (blocked >> (SIGTERM - 1) & 1) && !(blocked >> (SIGBUS - 1) & 1))
      return true;
  }
  return false;
}

TEST_F(HeldCopyTest, ItsThreadComesAfterOthersAndGetsNoSignals) {
  EXPECT_TRUE(hasBatchThread());
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER); // this thread's are its own
  release();
  copy.reset();
  EXPECT_TRUE(comesTrue([] { return !hasBatchThread(); }));
}

} // namespace
