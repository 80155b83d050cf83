//===- RopeScaling.cpp - Rules for stretching RoPE ------------------------===//
//
// linear: every frequency divided by the factor. llama3: Meta's rule for Llama
// 3.1. yarn: "YaRN: Efficient Context Window Extension of Large Language
// Models", section 3.2, with the rounding of its authors' program.
//
//===----------------------------------------------------------------------===//

#include "weights/RopeScaling.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr StringLiteral kNames[] = {"linear", "llama3", "yarn"};

/// The rule of Llama 3.1: with wavelength L = 2 pi / f in positions, short
/// waves stay, long ones are stretched by `factor`, and between them the two
/// blend linearly in original / L.
double scaleLlama3(double frequency, const RopeScaling &scaling) {
  double wavelength = 2.0 * std::numbers::pi / frequency;
  double original = double(scaling.originalMaxPositions);
  if (wavelength < original / scaling.highFreqFactor)
    return frequency;
  if (wavelength > original / scaling.lowFreqFactor)
    return frequency / scaling.factor;
  double smooth = (original / wavelength - scaling.lowFreqFactor) /
                  (scaling.highFreqFactor - scaling.lowFreqFactor);
  return (1.0 - smooth) * frequency / scaling.factor + smooth * frequency;
}

/// `ramp`: where it begins and ends.
double scaleYarn(double frequency, double index, const RopeScaling &scaling,
                 std::pair<double, double> ramp) {
  auto [low, high] = ramp;
  double least = 0.001; // a ramp of no length is a step
  double length = high == low ? least : high - low;
  double stretched = std::clamp((index - low) / length, 0.0, 1.0);
  return frequency / scaling.factor * stretched + frequency * (1.0 - stretched);
}

} // namespace

StringRef getName(RopeRule rule) { return kNames[size_t(rule)]; }

std::optional<RopeRule> findRopeRule(StringRef name) {
  const auto *found = find(kNames, name);
  if (found == std::end(kNames))
    return std::nullopt;
  return RopeRule(found - std::begin(kNames));
}

std::pair<double, double> RopeScaling::getYarnRamp(int64_t headDim,
                                                   double theta) const {
  // The index of the wave that turns so many times in the original positions.
  auto getIndex = [&](double turns) {
    double positions = double(originalMaxPositions);
    return double(headDim) *
           std::log(positions / (turns * 2.0 * std::numbers::pi)) /
           (2.0 * std::log(theta));
  };
  double low = getIndex(betaFast), high = getIndex(betaSlow);
  if (truncate)
    std::tie(low, high) = std::pair(std::floor(low), std::ceil(high));
  return {std::max(low, 0.0), std::min(high, double(headDim - 1))};
}

std::vector<double>
computeRopeFrequencies(int64_t headDim, double theta,
                       const std::optional<RopeScaling> &scaling) {
  std::vector<double> frequencies(size_t(headDim / 2));
  std::pair<double, double> ramp;
  if (scaling && scaling->rule == RopeRule::Yarn)
    ramp = scaling->getYarnRamp(headDim, theta);
  for (auto [i, frequency] : enumerate(frequencies)) {
    frequency = std::pow(theta, -2.0 * double(i) / double(headDim));
    if (!scaling)
      continue;
    if (scaling->rule == RopeRule::Linear)
      frequency /= scaling->factor;
    else if (scaling->rule == RopeRule::Llama3)
      frequency = scaleLlama3(frequency, *scaling);
    else
      frequency = scaleYarn(frequency, double(i), *scaling, ramp);
  }
  return frequencies;
}

double getYarnAttentionFactor(double factor, double mscale) {
  return factor <= 1.0 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

} // namespace llamaweights
