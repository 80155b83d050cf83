//===- LogprobsTest.cpp - Log-probabilities and ranks of tokens -----------===//

#include "runtime/Sampler/Logprobs.h"

#include "runtime/Error.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace llamart;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(Logprobs, AreThoseOfTheSoftmax) {
  std::vector<float> logits = {1.0f, -2.0f, 3.5f, 3.5f, 90.0f};
  Logprobs logprobs(logits);
  double sum = 0.0;
  for (float logit : logits)
    sum += std::exp(double(logit) - 90.0);
  std::vector<int32_t> ranks = {3, 4, 1, 2, 0};
  for (int32_t id = 0; id < 5; ++id) {
    TokenLogprob found = logprobs.get(id);
    EXPECT_EQ(found.id, id);
    EXPECT_EQ(found.rank, ranks[id]);
    EXPECT_NEAR(found.logprob, logits[id] - 90.0 - std::log(sum), 1e-12);
  }
  std::vector<int32_t> order;
  for (const TokenLogprob &entry : logprobs.getTop(10))
    order.push_back(entry.id);
  EXPECT_EQ(order, (std::vector<int32_t>{4, 2, 3, 0, 1}));
  EXPECT_EQ(logprobs.getTop(2).size(), 2u);
  EXPECT_TRUE(logprobs.getTop(0).empty());
}

TEST(Logprobs, OfInfinitiesAndNaNsMakeSense) {
  std::vector<float> logits = {kNaN, kInfinity, 5.0f, kInfinity, -kInfinity};
  Logprobs logprobs(logits);
  EXPECT_NEAR(logprobs.get(1).logprob, -std::log(2.0), 1e-15);
  EXPECT_EQ(logprobs.get(1).rank, 0);
  EXPECT_EQ(logprobs.get(3).rank, 1);
  EXPECT_EQ(logprobs.get(2).logprob, -double(kInfinity));
  EXPECT_EQ(logprobs.get(0).logprob, -double(kInfinity));
  EXPECT_EQ(logprobs.get(0).rank, 3);
  EXPECT_EQ(logprobs.get(4).rank, 4);
  std::vector<float> none = {kNaN, -kInfinity};
  EXPECT_EQ(Logprobs(none).get(0).logprob, -double(kInfinity));
}

TEST(Logprobs, OfAnIdOutOfRangeAreAnError) {
  std::vector<float> logits = {1.0f, 2.0f};
  Logprobs logprobs(logits);
  EXPECT_THROW(logprobs.get(2), Error);
  EXPECT_THROW(logprobs.get(-1), Error);
}

} // namespace
