//===- CandidatesTest.cpp - Tokens that may be drawn ----------------------===//

#include "runtime/Sampler/Candidates.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace llamart;

namespace {

TEST(Candidates, BestOnesComeFirstAndTheLowestIdOfEquals) {
  Candidates some{{3, 5, 8, 9}, {0.5, 1.0, 1.0, 0.0}};
  Candidates best = some.findBest(2);
  EXPECT_EQ(best.ids, (std::vector<int32_t>{5, 8}));
  EXPECT_EQ(best.weights, (std::vector<double>{0.4, 0.4}));
}

TEST(Candidates, WhatCannotBeDrawnIsNotAmongTheBest) {
  Candidates some{{3, 5, 8, 9}, {0.5, 1.0, 1.0, 0.0}};
  EXPECT_EQ(some.findBest(9).ids, (std::vector<int32_t>{5, 8, 3}));
  EXPECT_TRUE(Candidates{}.findBest(9).ids.empty());
}

TEST(Candidates, ADrawFollowsTheWeights) {
  Candidates some{{}, {0.0, 1.0, 0.0, 1.0, 0.0}};
  EXPECT_EQ(some.draw(0.0), 1u);
  EXPECT_EQ(some.draw(0.49), 1u);
  EXPECT_EQ(some.draw(0.5), 3u);
  EXPECT_EQ(some.draw(std::nextafter(1.0, 0.0)), 3u);
}

TEST(Candidates, WeightsOfAllTokensAreTheirSoftmax) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> logits = {1.0f, 2.0f, -kInfinity};
  Candidates all = weighAll(logits);
  EXPECT_NEAR(all.weights[0], std::exp(-1.0), 1e-15);
  EXPECT_EQ(all.weights[1], 1.0);
  EXPECT_EQ(all.weights[2], 0.0);
  EXPECT_EQ(all.findBest(3).ids, (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(all.getId(2), 2);
}

} // namespace
