//===- CpuQuotaTest.cpp - Time that a control group allows ----------------===//
//
// Trees of files as kernels and containers show them.
//
//===----------------------------------------------------------------------===//

#include "runtime/Model/CpuQuota.h"

#include "test/runtime/Model/FileTree.h"

#include <cmath>

using llamart::getCpuQuota;

namespace {

using CpuQuotaTest = FileTree;

const char *const kVersion2 =
    "proc /proc proc rw 0 0\n"
    "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nsdelegate 0 0";
const char *const kVersion1 =
    "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n"
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0";

TEST_F(CpuQuotaTest, WithoutGroupsThereIsNoLimit) {
  EXPECT_EQ(getCpuQuota(root), HUGE_VAL);
  write("/proc/self/mounts", kVersion2);
  write("/proc/self/cgroup", "0::/");
  EXPECT_EQ(getCpuQuota(root), HUGE_VAL);
  write("/sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_EQ(getCpuQuota(root), HUGE_VAL);
}

TEST_F(CpuQuotaTest, TheRootOfAContainerCounts) {
  write("/proc/self/mounts", kVersion2);
  write("/proc/self/cgroup", "0::/");
  write("/sys/fs/cgroup/cpu.max", "150000 100000");
  EXPECT_EQ(getCpuQuota(root), 1.5);
}

TEST_F(CpuQuotaTest, TheLeastOfNestedGroupsCounts) {
  write("/proc/self/mounts", kVersion2);
  write("/proc/self/cgroup", "0::/user.slice/job.scope");
  write("/sys/fs/cgroup/user.slice/cpu.max", "200000 100000");
  write("/sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000");
  write("/sys/fs/cgroup/other.slice/cpu.max", "1000 100000");
  EXPECT_EQ(getCpuQuota(root), 2.0);
  write("/sys/fs/cgroup/user.slice/job.scope/cpu.max", "50000 100000");
  EXPECT_EQ(getCpuQuota(root), 0.5);
}

TEST_F(CpuQuotaTest, Version1Counts) {
  write("/proc/self/mounts", kVersion1);
  write("/proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/docker/abc");
  std::string group = "/sys/fs/cgroup/cpu,cpuacct/docker/abc/";
  write(group + "cpu.cfs_quota_us", "-1");
  write(group + "cpu.cfs_period_us", "100000");
  EXPECT_EQ(getCpuQuota(root), HUGE_VAL);
  write(group + "cpu.cfs_quota_us", "300000");
  EXPECT_EQ(getCpuQuota(root), 3.0);
}

TEST_F(CpuQuotaTest, Version1CountsAtTheRootWhereThePathIsTheHosts) {
  write("/proc/self/mounts", kVersion1);
  write("/proc/self/cgroup", "4:cpu,cpuacct:/docker/abc");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
  EXPECT_EQ(getCpuQuota(root), 2.5);
}

TEST_F(CpuQuotaTest, BothVersionsAtOnceCount) {
  write("/proc/self/mounts",
        std::string(kVersion1) + "\n" +
            "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0");
  write("/proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/a");
  write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "400000");
  write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000");
  EXPECT_EQ(getCpuQuota(root), 4.0);
  write("/sys/fs/cgroup/unified/a/cpu.max", "100000 100000");
  EXPECT_EQ(getCpuQuota(root), 1.0);
}

} // namespace
