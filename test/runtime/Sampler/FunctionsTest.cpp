//===- FunctionsTest.cpp - Functions, fits and draws of the samplers ------===//
//
// Against the standard library's functions, and against what defines them.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/BranchFreeMath.h"
#include "runtime/Sampler/DirichletFit.h"
#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/GammaDraws.h"
#include "runtime/Sampler/GammaFunctions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

using namespace llamart;

namespace {

TEST(BranchFreeMath, Logarithms) {
  std::mt19937_64 random(3);
  std::vector<double> values = {1.0,
                                2.0,
                                0.5,
                                0x1p-1022,
                                0x1.fffffffffffffp1023,
                                std::numbers::e,
                                0.70710678118654746,
                                0.70710678118654757,
                                1.0 - 0x1p-53,
                                1.0 + 0x1p-52};
  std::uniform_real_distribution<double> exponent(-700.0, 700.0), near(-1, 1);
  for (int i = 0; i < 100000; ++i)
    values.push_back(std::exp(i % 2 ? exponent(random) : near(random)));
  std::vector<double> logs(values.size());
  takeLogarithms(values, logs);
  for (size_t i = 0; i < values.size(); ++i) {
    long double expected = std::log(static_cast<long double>(values[i]));
    ASSERT_NEAR(double(logs[i] - expected), 0.0,
                double(std::abs(expected)) * 3 * 0x1p-52)
        << values[i];
  }
}

TEST(BranchFreeMath, CosinesOfTurns) {
  for (int i = 0; i <= 100000; ++i) {
    double t = i / 1e5;
    long double angle = 2 * std::numbers::pi_v<long double> * t;
    ASSERT_NEAR(double(cosOfTurns(t) - std::cos(angle)), 0.0, 4e-16) << t;
  }
}

TEST(Distribution, SumsHeedOnlyWhatHasWeight) {
  std::vector<double> weights, values;
  double first = 0.0, second = 0.0, third = 0.0;
  for (int i = 0; i < 1003; ++i) {
    weights.push_back(i % 5 ? 1.0 / (i + 1) : 0.0);
    values.push_back(i % 5 ? std::sin(i) : HUGE_VAL);
    if (i % 5) {
      first += weights[i] * values[i];
      second += weights[i] * std::pow(values[i] - 0.25, 2);
      third += weights[i] * std::pow(values[i] - 0.25, 3);
    }
  }
  EXPECT_NEAR(sumProducts(weights, values), first, 1e-13);
  CentralSums sums = sumCentral(weights, values, 0.25);
  EXPECT_NEAR(sums.second, second, 1e-13);
  EXPECT_NEAR(sums.third, third, 1e-13);
}

TEST(GammaFunctions, TheTableIsTheFunction) {
  const InverseDigammaTable &table = InverseDigammaTable::get();
  for (double y = -70.0; y < 25.0; y += 0.0371) {
    double x = inverseDigamma(y);
    ASSERT_NEAR(digamma(x), y, 1e-13 * (1 + std::abs(y)));
    ASSERT_NEAR(table.getValue(y).x / x, 1.0, 1e-9) << y;
    ASSERT_NEAR(table.getValue(y).slope * trigamma(x), 1.0, 1e-6) << y;
    double log = std::lgamma(x);
    ASSERT_NEAR(table.getLogGamma(y), log, 1e-9 * (1 + std::abs(log))) << y;
  }
}

/// What defines the solution, for every target.
void expectSolution(const std::vector<double> &targets, double near) {
  std::vector<double> alpha(targets.size());
  DirichletFit fit = fitDirichlet(targets, near, alpha);
  double sum = 0.0, logGammas = 0.0;
  for (double a : alpha) {
    sum += a;
    logGammas += std::lgamma(a);
  }
  EXPECT_NEAR(fit.sum / sum, 1.0, 1e-9);
  EXPECT_NEAR(fit.logGammas / logGammas, 1.0, 1e-9);
  for (size_t i = 0; i < alpha.size(); ++i)
    ASSERT_NEAR(digamma(alpha[i]) - digamma(sum), targets[i],
                1e-8 * (1 + std::abs(targets[i])));
}

TEST(DirichletFit, SolvesTheEquations) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (size_t size : {2, 3, 50, 5000}) {
    for (double spread : {0.0, 1.0, 4.0, 40.0}) {
      std::vector<double> targets(size);
      for (double &target : targets) // most lie on a floor
        target = -std::log(double(size)) - 1.0 -
                 (random() % 4 ? spread : std::abs(spread * normal(random)));
      expectSolution(targets, 0.0);
      expectSolution(targets, -30.0);
      expectSolution(targets, 5.0);
    }
  }
}

/// Means and variances of ln x are digamma and trigamma of the shape.
TEST(GammaDraws, MomentsOfTheLogarithm) {
  constexpr size_t kCount = 100003; // no multiple of a block
  StepRandom random{1, 2, 3};
  for (double shape : {0.01, 0.054, 0.7, 1.0, 3.5, 400.0}) {
    std::vector<double> shapes(kCount, shape), logs(kCount);
    drawLogGammas(shapes, random, 17, logs);
    double mean = 0.0, variance = 0.0;
    for (double log : logs)
      mean += log / kCount;
    for (double log : logs)
      variance += (log - mean) * (log - mean) / kCount;
    double expected = trigamma(shape);
    EXPECT_NEAR(mean, digamma(shape), 5 * std::sqrt(expected / kCount));
    EXPECT_NEAR(variance / expected, 1.0, 0.04) << shape;
  }
}

/// A variate has its own random numbers: the others change nothing.
TEST(GammaDraws, EachDependsOnItsPlaceAlone) {
  StepRandom random{7, 8, 9};
  std::vector<double> shapes(1000), logs(1000), one(1), log(1);
  for (size_t i = 0; i < shapes.size(); ++i)
    shapes[i] = 0.02 * double(i + 1);
  drawLogGammas(shapes, random, 100, logs);
  for (size_t i = 0; i < shapes.size(); ++i) {
    one[0] = shapes[i];
    drawLogGammas(one, random, 100 + uint32_t(i) * kNumbersPerGamma, log);
    ASSERT_EQ(log[0], logs[i]) << i;
  }
}

} // namespace
