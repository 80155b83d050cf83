//===- SamplerTest.cpp - Logits to the next token -------------------------===//
//
// Random numbers against published values, and what must not change a draw.
// What is drawn from is compared in against_numpy.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/Sampler.h"

#include "runtime/Error.h"
#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/Philox.h"
#include "runtime/Sampler/Selector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

using namespace llamart;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

//===----------------------------------------------------------------------===//
// Random numbers
//===----------------------------------------------------------------------===//

/// The known answers that the authors of Philox publish with their library.
TEST(Philox, KnownAnswers) {
  using Counter = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            Counter({0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            Counter({0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                       {0xa4093822, 0x299f31d0}),
            Counter({0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EveryPartOfTheNameOfADrawCounts) {
  StepRandom base{1, 2, 3};
  double value = base.uniform(0);
  EXPECT_GE(value, 0.0);
  EXPECT_LT(value, 1.0);
  EXPECT_EQ(value, StepRandom(base).uniform(0));
  EXPECT_NE(value, base.uniform(1));
  EXPECT_NE(value, (StepRandom{1 + (1ull << 32), 2, 3}.uniform(0)));
  EXPECT_NE(value, (StepRandom{1, 2 + (1ull << 32), 3}.uniform(0)));
  EXPECT_NE(value, (StepRandom{1, 2, 4}.uniform(0)));
}

//===----------------------------------------------------------------------===//
// Weights and selection
//===----------------------------------------------------------------------===//

TEST(Distribution, WeightsAreExponentials) {
  std::vector<float> logits = {0.0f};
  for (int i = 1; i < 20000; ++i)
    logits.push_back(-0.0371f * float(i)); // down to -742
  std::vector<double> weights(logits.size());
  for (double temperature : {1.0, 0.7, 3.0}) {
    computeWeights(logits, temperature, weights);
    for (size_t i = 0; i < logits.size(); ++i) {
      double x = double(logits[i]) / temperature, expected = std::exp(x);
      if (x < -708) // below the normal numbers
        EXPECT_EQ(weights[i], 0.0);
      else // two units in the last place
        EXPECT_NEAR(weights[i], expected, expected * 0x1p-51) << x;
    }
  }
}

TEST(Distribution, InfinityTakesEverything) {
  std::vector<float> logits = {1.0f, kInfinity, kNaN, -kInfinity, kInfinity};
  std::vector<double> weights(logits.size());
  computeWeights(logits, 1.0, weights);
  EXPECT_EQ(weights, std::vector<double>({0, 1, 0, 0, 1}));
}

TEST(Distribution, EntropyOfKnownDistributions) {
  std::vector<float> equal(1 << 10, 2.5f);
  EXPECT_NEAR(computeEntropy(equal).entropy, 10.0, 1e-12);
  EXPECT_NEAR(computeEntropy(equal).varentropy, 0.0, 1e-12);
  std::vector<float> certain = {0.0f, -kInfinity, -kInfinity};
  EXPECT_EQ(computeEntropy(certain).entropy, 0.0);
  // p = 3/4, 1/4: H = 2 - 3/4 log2 3; variance of {log2 3/4, log2 1/4} is
  // 3/16 (log2 3)^2. A logit is rounded to f32: 2^-24.
  std::vector<float> two = {float(std::log(3.0)), 0.0f};
  double log3 = std::log2(3.0);
  EXPECT_NEAR(computeEntropy(two).entropy, 2 - 0.75 * log3, 0x1p-23);
  EXPECT_NEAR(computeEntropy(two).varentropy, log3 * log3 * 3 / 16, 0x1p-22);
}

TEST(Selector, FindsWhatSortingFinds) {
  std::mt19937 random(9);
  Selector selector;
  for (int round = 0; round < 300; ++round) {
    size_t size = round < 200 ? random() % 300 + 1 : random() % 20000 + 1;
    std::vector<float> logits(size);
    for (float &logit : logits)
      logit = round % 3 == 0   ? float(random() % 7) - 3.0f
              : round % 3 == 1 ? float(int(random())) * 2e-9f
                               : (random() % 9 ? 0.0f : -0.0f);
    std::vector<uint32_t> order(size);
    for (uint32_t i = 0; i < size; ++i)
      order[i] = i;
    std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
      return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    });
    size_t count = random() % size + 1;
    std::vector<uint32_t> expected(order.begin(), order.begin() + count);
    std::ranges::sort(expected);
    auto found = selector.findTopCount(logits, count);
    ASSERT_EQ(std::vector<uint32_t>(found.begin(), found.end()), expected);

    // The mass of exactly that many, less half of the last one's. (Logits are
    // close enough together for that half not to be lost in the sum.)
    std::vector<double> weights(size);
    computeWeights(logits, 1.0, weights);
    double mass = -0.5 * weights[order[count - 1]];
    for (size_t i = 0; i < count; ++i)
      mass += weights[order[i]];
    found = selector.findTopMass(logits, weights, mass);
    ASSERT_EQ(std::vector<uint32_t>(found.begin(), found.end()), expected);
  }
}

TEST(Selector, MassThatIsNeverReachedKeepsEverything) {
  std::vector<float> logits = {1, 3, 2, 3};
  std::vector<double> weights(4);
  computeWeights(logits, 1.0, weights);
  Selector selector;
  EXPECT_EQ(selector.findTopMass(logits, weights, 100.0).size(), 4u);
  EXPECT_EQ(selector.findTopMass(logits, weights, 0.0)[0], 1u);
  EXPECT_EQ(selector.findTopMass(logits, weights, 0.0).size(), 1u);
}

//===----------------------------------------------------------------------===//
// Samplers
//===----------------------------------------------------------------------===//

int32_t draw(const Sampler &sampler, const std::vector<float> &logits,
             uint64_t sequence = 0, uint32_t position = 0) {
  SampleInput input;
  input.logits = logits;
  input.sequence = sequence;
  input.position = position;
  return sampler.sample(input, nullptr);
}

TEST(Sampler, GreedyTakesTheLowestOfTheLargest) {
  auto greedy = createGreedySampler();
  EXPECT_EQ(draw(*greedy, {1, 5, 5, 2}), 1);
  EXPECT_EQ(draw(*greedy, {-1}), 0);
  EXPECT_EQ(draw(*greedy, {kNaN, -kInfinity, 3, kNaN}), 2);
  EXPECT_EQ(draw(*greedy, {kNaN, kNaN}), 0);
  EXPECT_EQ(draw(*greedy, {0, kInfinity, kInfinity}), 1);
  std::vector<float> many(1001, 1.0f);
  many[1000] = 2.0f;
  EXPECT_EQ(draw(*greedy, many), 1000);
}

TEST(Sampler, ADrawDependsOnSeedSequenceAndPositionOnly) {
  std::mt19937 random(1);
  std::vector<float> logits(1000);
  for (float &logit : logits)
    logit = float(random() % 1000) * 0.004f;
  SamplerOptions options;
  options.seed = 77;
  auto sampler = createStandardSampler(options);
  auto drawAll = [&](const Sampler &from, bool backwards) {
    std::vector<int32_t> tokens(60);
    for (uint32_t i = 0; i < 60; ++i) {
      uint32_t n = backwards ? 59 - i : i;
      tokens[n] = draw(from, logits, n % 3, n / 3);
    }
    return tokens;
  };
  std::vector<int32_t> tokens = drawAll(*sampler, false);
  EXPECT_EQ(drawAll(*sampler, true), tokens);
  EXPECT_EQ(drawAll(*createStandardSampler(options), true), tokens);
  std::vector<int32_t> elsewhere;
  std::thread([&] { elsewhere = drawAll(*sampler, false); }).join();
  EXPECT_EQ(elsewhere, tokens);
  options.seed = 78;
  EXPECT_NE(drawAll(*createStandardSampler(options), false), tokens);
}

TEST(Sampler, StepsOfDifferentSizesDoNotDisturbEachOther) {
  SamplerOptions options;
  options.topP = 0.5f;
  auto sampler = createStandardSampler(options);
  std::vector<float> small = {0, 9, 0}, large(5000, 1.0f);
  large[4321] = 30.0f;
  for (uint32_t position = 0; position < 20; ++position) {
    EXPECT_EQ(draw(*sampler, small, 0, position), 1);
    EXPECT_EQ(draw(*sampler, large, 0, position), 4321);
  }
}

TEST(Sampler, GreedyPenalizesToo) {
  SamplerOptions options;
  options.temperature = 0.0f;
  options.repeatPenalty = 2.0f;
  auto sampler = createStandardSampler(options);
  std::vector<float> logits = {4.0f, 3.0f};
  std::vector<int32_t> history = {0, -5, 99};
  SampleInput input;
  input.logits = logits;
  input.history = history;
  EXPECT_EQ(sampler->sample(input, nullptr), 1);
  EXPECT_EQ(logits[0], 4.0f); // the caller's logits stay as they are
}

TEST(Sampler, RemembersNothing) {
  auto sampler = createGreedySampler();
  EXPECT_EQ(sampler->makeState(), nullptr);
  EXPECT_FALSE(sampler->needsAttention());
  EXPECT_FALSE(sampler->needsPromptLogits());
}

TEST(Sampler, OptionsOutOfRangeAreRefused) {
  auto complain = [](auto change) -> std::string {
    SamplerOptions options;
    change(options);
    try {
      createStandardSampler(options);
    } catch (const Error &error) {
      EXPECT_EQ(error.getKind(), ErrorKind::Argument);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(complain([](auto &) {}), "");
  EXPECT_EQ(complain([](auto &o) { o.topP = 1.5f; }),
            "sampler: top_p is 1.5, expected 0 to 1");
  EXPECT_EQ(complain([](auto &o) { o.topK = -1; }),
            "sampler: top_k is -1, expected 0 to 2.14748e+09");
  for (float bad : {-1.0f, kNaN, kInfinity}) {
    EXPECT_NE(complain([&](auto &o) { o.temperature = bad; }), "");
    EXPECT_NE(complain([&](auto &o) { o.minP = bad; }), "");
    EXPECT_NE(complain([&](auto &o) { o.repeatPenalty = bad; }), "");
  }
  EXPECT_NE(complain([](auto &o) { o.penaltyWindow = -2; }), "");
}

TEST(Sampler, NoLogitsAreAnError) {
  EXPECT_THROW(draw(*createGreedySampler(), {}), Error);
}

} // namespace
