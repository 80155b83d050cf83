//===- RopeScalingTest.cpp - Rules for stretching RoPE --------------------===//
//
// Frequencies and attention factors as transformers 5.24 computes them, in f32;
// heads are 16 wide and theta is 10000.
//
//===----------------------------------------------------------------------===//

#include "weights/RopeScaling.h"

#include <gtest/gtest.h>

using namespace llamaweights;

namespace {

RopeScaling makeYarn(double factor, int64_t original) {
  RopeScaling scaling;
  scaling.rule = RopeRule::Yarn;
  scaling.factor = factor;
  scaling.originalMaxPositions = original;
  return scaling;
}

void expectFrequencies(const RopeScaling &scaling,
                       const std::vector<double> &wanted) {
  std::vector<double> found = computeRopeFrequencies(16, 10000.0, scaling);
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], wanted[i], wanted[i] * 0x1p-20) << i;
}

TEST(RopeScaling, Linear) {
  RopeScaling scaling;
  scaling.rule = RopeRule::Linear;
  scaling.factor = 4.0;
  expectFrequencies(scaling, {0.25, 0.079056941, 0.0250000004, 0.00790569466,
                              0.00249999994, 0.000790569466, 0.000250000012,
                              7.90569466e-05});
}

TEST(RopeScaling, Yarn) {
  expectFrequencies(makeYarn(4.0, 1024),
                    {1, 0.316227764, 0.0812500045, 0.0197642371, 0.00437500002,
                     0.000790569466, 0.000250000012, 7.90569466e-05});
  RopeScaling scaling = makeYarn(8.0, 128);
  scaling.betaFast = 16.0;
  scaling.betaSlow = 2.0;
  scaling.truncate = false;
  expectFrequencies(scaling,
                    {1, 0.195175499, 0.0132751297, 0.00395284733, 0.00124999997,
                     0.000395284733, 0.000125000006, 3.95284733e-05});
}

TEST(RopeScaling, YarnsAttentionFactor) {
  EXPECT_DOUBLE_EQ(getYarnAttentionFactor(4.0), 1.138629436111989);
  EXPECT_DOUBLE_EQ(getYarnAttentionFactor(8.0), 1.2079441541679836);
  EXPECT_DOUBLE_EQ(getYarnAttentionFactor(8.0, 0.9) /
                       getYarnAttentionFactor(8.0, 0.4),
                   1.0959880181834263);
  EXPECT_EQ(getYarnAttentionFactor(1.0), 1.0);
}

TEST(RopeScaling, RulesHaveNames) {
  for (RopeRule rule : {RopeRule::Linear, RopeRule::Llama3, RopeRule::Yarn})
    EXPECT_EQ(findRopeRule(getName(rule)), rule);
  EXPECT_FALSE(findRopeRule("dynamic").has_value());
}

} // namespace
