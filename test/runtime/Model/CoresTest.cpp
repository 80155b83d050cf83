//===- CoresTest.cpp - How many cores this process may use ----------------===//

#include "runtime/Model/Cores.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <thread>

using llamart::getAvailableCores;

namespace {

TEST(AvailableCores, AreNoMoreThanTheAffinityMaskHas) {
  int32_t cores = getAvailableCores();
  EXPECT_GE(cores, 1);
  EXPECT_LE(cores, int32_t(std::thread::hardware_concurrency()));
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before))
      CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(getAvailableCores(), 1);
  sched_setaffinity(0, sizeof(before), &before);
}

} // namespace
