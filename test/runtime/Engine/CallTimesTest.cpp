//===- CallTimesTest.cpp - How long forward calls take --------------------===//

#include "runtime/Engine/CallTimes.h"

#include <gtest/gtest.h>

using llamart::CallTimes;

namespace {

TEST(CallTimes, RowsGrowUntilTheTimeIsUsed) {
  // 20 ms for the weights and 2 ms a row: 40 rows in 100 ms.
  CallTimes times;
  int64_t rows = 0;
  for (int i = 0; i < 12; ++i) {
    rows = times.getRows(0.1);
    double seconds = 0.02 + 0.002 * double(rows);
    EXPECT_LE(seconds, 0.1 + 1e-9) << rows;
    times.add(rows, seconds);
  }
  EXPECT_GE(rows, 38);
  EXPECT_LE(rows, 40);
}

TEST(CallTimes, FollowTheMachine) {
  CallTimes times;
  for (int i = 0; i < 20; ++i) {
    times.add(64, 0.064);
    times.add(1, 0.01);
  }
  EXPECT_NEAR(double(times.getRows(0.05)), 47, 3);
  for (int i = 0; i < 20; ++i) { // four times as slow
    times.add(64, 0.256);
    times.add(1, 0.04);
  }
  EXPECT_NEAR(double(times.getRows(0.05)), 3, 2);
}

TEST(CallTimes, ThereIsAlwaysOneRow) {
  CallTimes times;
  times.add(10, 5.0);
  EXPECT_EQ(times.getRows(0.001), 1);
  EXPECT_EQ(CallTimes().getRows(0.0), 16); // nothing is known yet
}

} // namespace
