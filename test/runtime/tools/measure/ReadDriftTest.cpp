//===- ReadDriftTest.cpp - When a measurement is repeated ------------------===//

#include "runtime/tools/measure/ReadDrift.h"

#include <gtest/gtest.h>

using llamart::tools::ReadDrift;

namespace {

TEST(ReadDrift, IsAShareOfTheFasterOneWhicheverComesFirst) {
  EXPECT_DOUBLE_EQ((ReadDrift{.before = 20e9, .after = 20e9}.getShare()), 0.0);
  EXPECT_DOUBLE_EQ((ReadDrift{.before = 20e9, .after = 15e9}.getShare()), 0.25);
  EXPECT_DOUBLE_EQ((ReadDrift{.before = 15e9, .after = 20e9}.getShare()), 0.25);
}

TEST(ReadDrift, AboveFivePercentIsNoise) {
  EXPECT_FALSE((ReadDrift{.before = 100e9, .after = 95e9}.isNoise()));
  EXPECT_FALSE((ReadDrift{.before = 95e9, .after = 100e9}.isNoise()));
  EXPECT_TRUE((ReadDrift{.before = 100e9, .after = 94.9e9}.isNoise()));
  EXPECT_TRUE((ReadDrift{.before = 94.9e9, .after = 100e9}.isNoise()));
}

TEST(ReadDrift, NoiseIsMeasuredAgainTwiceAtMost) {
  ReadDrift noise{.before = 30e9, .after = 20e9};
  EXPECT_TRUE(noise.isRepeated(1));
  EXPECT_TRUE(noise.isRepeated(2));
  EXPECT_FALSE(noise.isRepeated(3));
}

TEST(ReadDrift, AQuietMachineIsNotMeasuredAgain) {
  ReadDrift quiet{.before = 30e9, .after = 29e9};
  EXPECT_FALSE(quiet.isRepeated(1));
}

} // namespace
