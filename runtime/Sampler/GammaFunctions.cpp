//===- GammaFunctions.cpp - Digamma, its derivative and its inverse -------===//
//
// Asymptotic series from 8 on, the recurrence f(x) = f(x + 1) - ... below.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/GammaFunctions.h"

#include <cmath>
#include <numbers>

namespace llamart {
namespace {

constexpr double kSeries = 10.0; // from here on the series are good to 1e-15
constexpr double kLow = -64.0, kHigh = 20.0, kPerUnit = 64.0;

} // namespace

double digamma(double x) {
  double below = 0.0;
  while (x < kSeries) {
    below += 1.0 / x;
    x += 1.0;
  }
  double r = 1.0 / (x * x);
  // Bernoulli numbers over 2n.
  double series =
      r * (1.0 / 12 -
           r * (1.0 / 120 -
                r * (1.0 / 252 -
                     r * (1.0 / 240 - r * (1.0 / 132 - r * 691.0 / 32760)))));
  return std::log(x) - 0.5 / x - series - below;
}

double trigamma(double x) {
  double below = 0.0;
  while (x < kSeries) {
    below += 1.0 / (x * x);
    x += 1.0;
  }
  double r = 1.0 / (x * x);
  // Bernoulli numbers.
  double series =
      r * (1.0 / 6 -
           r * (1.0 / 30 -
                r * (1.0 / 42 -
                     r * (1.0 / 30 - r * (5.0 / 66 - r * 691.0 / 2730)))));
  return below + (1.0 + 0.5 / x + series) / x;
}

double logGamma(double x) {
  double below = 1.0;
  while (x < kSeries) {
    below *= x;
    x += 1.0;
  }
  double r = 1.0 / (x * x);
  double series =
      (1.0 / 12 -
       r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) /
      x;
  constexpr double kHalfLog2Pi = 0.91893853320467274178;
  return (x - 0.5) * std::log(x) - x + kHalfLog2Pi + series - std::log(below);
}

double inverseDigamma(double y) {
  // Thomas Minka, "Estimating a Dirichlet distribution", appendix C.
  double x = y >= -2.22 ? std::exp(y) + 0.5 : -1.0 / (y + std::numbers::egamma);
  for (int i = 0; i < 6; ++i) {
    double step = (digamma(x) - y) / trigamma(x);
    x = step < x ? x - step : x / 2;
    if (std::abs(step) < 1e-15 * x)
      break;
  }
  return x;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

InverseDigammaTable::InverseDigammaTable() {
  auto count = static_cast<size_t>((kHigh - kLow) * kPerUnit) + 1;
  for (size_t i = 0; i < count; ++i) {
    double y = kLow + double(i) / kPerUnit;
    double x = inverseDigamma(y);
    double slope = 1.0 / trigamma(x);
    // Derivative of ln gamma(x(y)): digamma(x) x' = y x'. Scaled to pieces.
    nodes.push_back({x, slope / kPerUnit, logGamma(x), y * slope / kPerUnit});
  }
}

const InverseDigammaTable &InverseDigammaTable::get() {
  static const InverseDigammaTable table;
  return table;
}

InverseDigammaTable::Value InverseDigammaTable::getValue(double y) const {
  if (!(y >= kLow && y < kHigh)) {
    double x = inverseDigamma(y);
    return {x, 1.0 / trigamma(x)};
  }
  double at = (y - kLow) * kPerUnit;
  auto i = static_cast<size_t>(at);
  double t = at - double(i);
  const Node &a = nodes[i], &b = nodes[i + 1];
  // Hermite: value a.x at 0, b.x at 1, with those slopes.
  double d = b.x - a.x;
  double c2 = 3 * d - 2 * a.slope - b.slope, c3 = a.slope + b.slope - 2 * d;
  return {a.x + t * (a.slope + t * (c2 + t * c3)),
          (a.slope + t * (2 * c2 + t * 3 * c3)) * kPerUnit};
}

double InverseDigammaTable::getLogGamma(double y) const {
  if (!(y >= kLow && y < kHigh))
    return logGamma(inverseDigamma(y));
  double at = (y - kLow) * kPerUnit;
  auto i = static_cast<size_t>(at);
  double t = at - double(i);
  const Node &a = nodes[i], &b = nodes[i + 1];
  double d = b.logGamma - a.logGamma;
  double c2 = 3 * d - 2 * a.logGammaSlope - b.logGammaSlope;
  double c3 = a.logGammaSlope + b.logGammaSlope - 2 * d;
  return a.logGamma + t * (a.logGammaSlope + t * (c2 + t * c3));
}

//===----------------------------------------------------------------------===//
// Gamma variates
//===----------------------------------------------------------------------===//

double drawLogGamma(double alpha, const StepRandom &random, uint32_t first) {
  // Each attempt takes the four words of one number, as uniforms in (0, 1).
  auto toUniform = [](uint32_t word) { return (double(word) + 0.5) * 0x1p-32; };
  // Below 1: a variate of alpha + 1 times u^(1 / alpha).
  double shape = alpha < 1.0 ? alpha + 1.0 : alpha;
  double d = shape - 1.0 / 3, c = 1.0 / std::sqrt(9 * d);
  for (uint32_t index = first;; ++index) {
    std::array<uint32_t, 4> words = random.words(index);
    double radius = std::sqrt(-2 * std::log(toUniform(words[0])));
    double normal =
        radius * std::cos(2 * std::numbers::pi * toUniform(words[1]));
    double v = 1.0 + c * normal;
    if (v <= 0.0)
      continue;
    v = v * v * v;
    double logV = std::log(v), u = toUniform(words[2]);
    if (std::log(u) >= 0.5 * normal * normal + d - d * v + d * logV)
      continue;
    double boost = alpha < 1.0 ? std::log(toUniform(words[3])) / alpha : 0.0;
    return std::log(d) + logV + boost;
  }
}

} // namespace llamart
