//===- AvailableMemoryTest.cpp --------------------------------------------===//

#include "runtime/Model/AvailableMemory.h"

#include "test/runtime/Model/FileTree.h"

using llamart::getAvailableMemory;

namespace {

class AvailableMemory : public FileTree {
protected:
  AvailableMemory() {
    write("/proc/meminfo", "MemTotal: 9000 kB\nMemFree: 100 kB\n"
                           "MemAvailable:    4000 kB\nBuffers: 1 kB");
  }
};

TEST_F(AvailableMemory, IsWhatTheSystemSays) {
  EXPECT_EQ(getAvailableMemory(root), 4000U * 1024);
}

TEST_F(AvailableMemory, IsNoneIfTheSystemDoesNotSay) {
  write("/proc/meminfo", "MemTotal: 9000 kB");
  EXPECT_EQ(getAvailableMemory(root), 0U);
}

TEST_F(AvailableMemory, OfAGroupIsWhatItsLimitLeaves) {
  write("/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0");
  write("/proc/self/cgroup", "0::/a/b");
  write("/sys/fs/cgroup/a/b/memory.max", "max");
  write("/sys/fs/cgroup/a/b/memory.current", "5");
  EXPECT_EQ(getAvailableMemory(root), 4000U * 1024);
  write("/sys/fs/cgroup/a/memory.max", "1000000");
  write("/sys/fs/cgroup/a/memory.current", "900000");
  EXPECT_EQ(getAvailableMemory(root), 100000U);
  // Pages of files can be read again.
  write("/sys/fs/cgroup/a/memory.stat",
        "anon 600000\nfile 300000\ninactive_file 100000\nactive_file 200000");
  EXPECT_EQ(getAvailableMemory(root), 400000U);
  write("/sys/fs/cgroup/a/memory.current", "2000000"); // beyond its limit
  EXPECT_EQ(getAvailableMemory(root), 0U);
}

TEST_F(AvailableMemory, OfAGroupOfVersion1) {
  write("/proc/self/mounts",
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0");
  write("/proc/self/cgroup", "7:memory:/job");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "123");
  EXPECT_EQ(getAvailableMemory(root), 4000U * 1024);
  write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1000");
  write("/sys/fs/cgroup/memory/job/memory.usage_in_bytes", "400");
  EXPECT_EQ(getAvailableMemory(root), 600U);
}

} // namespace
