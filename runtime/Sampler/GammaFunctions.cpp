//===- GammaFunctions.cpp - Digamma, its derivative and its inverse -------===//
//
// Asymptotic series from 8 on, the recurrence f(x) = f(x + 1) - ... below.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/GammaFunctions.h"

#include "runtime/Sampler/BranchFreeMath.h"
#include "runtime/Sampler/Distribution.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
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
  // Hermite: values at both ends of a piece, slopes there in units of it.
  auto getCubic = [](double a, double slopeA, double b, double slopeB) {
    double d = b - a;
    return Cubic{a, slopeA, 3 * d - 2 * slopeA - slopeB,
                 slopeA + slopeB - 2 * d};
  };
  auto count = static_cast<size_t>((kHigh - kLow) * kPerUnit);
  double lastX = 0, lastSlope = 0, lastLog = 0, lastLogSlope = 0;
  for (size_t i = 0; i <= count; ++i) {
    double y = kLow + double(i) / kPerUnit;
    double x = inverseDigamma(y), log = logGamma(x);
    double slope = 1.0 / trigamma(x) / kPerUnit;
    double logSlope = y * slope; // of ln gamma(x(y)): digamma(x) x' = y x'
    if (i > 0) {
      inverses.push_back(getCubic(lastX, lastSlope, x, slope));
      logs.push_back(getCubic(lastLog, lastLogSlope, log, logSlope));
    }
    lastX = x, lastSlope = slope, lastLog = log, lastLogSlope = logSlope;
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
  return {inverses[i].getValue(at - double(i)),
          inverses[i].getSlope(at - double(i)) * kPerUnit};
}

/// Pieces of a table, evaluated without branches: what lies outside takes the
/// first or the last piece.
LLAMA_VECTOR_CLONES static void lookUp(const double *cubics, size_t pieces,
                                       std::span<const double> values,
                                       double shift, std::span<double> result) {
  auto last = double(pieces - 1);
  for (size_t i = 0; i < values.size(); ++i) {
    double at = (values[i] + shift - kLow) * kPerUnit;
    at = at > 0.0 ? at : 0.0;
    at = at < last ? at : last;
    auto piece = static_cast<int32_t>(at);
    double t = at - double(piece);
    const double *c = cubics + ptrdiff_t(4) * piece;
    result[i] = c[0] + t * (c[1] + t * (c[2] + t * c[3]));
  }
}

void InverseDigammaTable::getInverses(std::span<const double> values,
                                      double shift,
                                      std::span<double> result) const {
  static_assert(sizeof(Cubic) == 4 * sizeof(double));
  lookUp(&inverses.front().c0, inverses.size(), values, shift, result);
  Range range = findRange(values);
  if (range.low + shift >= kLow && range.high + shift < kHigh)
    return;
  for (size_t i = 0; i < values.size(); ++i)
    if (double y = values[i] + shift; !(y >= kLow && y < kHigh))
      result[i] = inverseDigamma(y);
}

double InverseDigammaTable::getLogGamma(double y) const {
  if (!(y >= kLow && y < kHigh))
    return logGamma(inverseDigamma(y));
  double at = (y - kLow) * kPerUnit;
  auto i = static_cast<size_t>(at);
  return logs[i].getValue(at - double(i));
}

} // namespace llamart
