//===- PackWeights.cpp - Rows of numbers to integers with scales ----------===//

#include "compiler/Target/PackWeights.h"

#include "runtime/abi/QuantizedLayout.h"
#include "weights/FloatConversion.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

using namespace mlir::llama;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

// Scales tried for 4 bits: the largest magnitude becomes -8 at the first, and
// is cut off by the later ones.
static constexpr float kCuts[] = {1.0F, 0.95F, 0.9F, 0.85F, 0.8F};

// How far from a whole number the ratio of a value and its scale may be: both
// are products or quotients rounded to f32, and the ratio is at most 128.
static constexpr float kSlack = 0x1p-14F;

// What rounding to f16 may cost, relative, unless it is subnormal.
static constexpr float kHalfError = 0x1p-11F;

static float roundToHalf(float value) {
  return llamaweights::halfToFloat(llamaweights::floatToHalf(value));
}

/// The nearest whole number, of a tie the even one, up to 2^22. By way of a sum
/// that has no bits left for a fraction: plain code, so that loops over it
/// become vectors.
static float nearest(float value) {
  constexpr float kWhole = 12582912.0F; // 1.5 * 2^23
  return (value + kWhole) - kWhole;
}

/// The whole number nearest to value / scale, at most `least` or `most`; what
/// is no number becomes `least`, for no comparison with it holds.
static float quantize(float value, float scale, float least, float most) {
  float ratio = scale == 0.0F ? 0.0F : value / scale;
  return nearest(std::min(std::max(least, ratio), most));
}

static float findLargest(ArrayRef<float> group) {
  float largest = 0.0F;
  for (float value : group)
    if (std::fabs(value) > std::fabs(largest))
      largest = value;
  return largest;
}

/// Sum of squares of what 4 bits lose. Element i is added to sum i mod 8, so
/// that the order allows vectors.
static float measureLoss(ArrayRef<float> group, float scale) {
  constexpr size_t kLanes = 8;
  float losses[kLanes] = {};
  auto add = [&](size_t i, size_t lane) {
    float lost = group[i] - scale * quantize(group[i], scale, -8.0F, 7.0F);
    losses[lane] += lost * lost;
  };
  size_t i = 0;
  for (; i + kLanes <= group.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      add(i + lane, lane);
  for (size_t lane = 0; i + lane < group.size(); ++lane)
    add(i + lane, lane);
  return std::accumulate(losses, losses + kLanes, 0.0F);
}

/// Whether all values are whole multiples of `scale` in the type's range.
static bool isOnGrid(ArrayRef<float> group, float scale, float half) {
  return llvm::all_of(group, [&](float value) {
    float ratio = value / scale;
    float whole = nearest(ratio);
    return std::fabs(ratio - whole) <= kSlack && whole >= -half && whole < half;
  });
}

/// The scale, rounded to f16, of which all values are whole multiples already;
/// none if there is no such scale, or f16 is too coarse for it.
static std::optional<float> findGrid(ArrayRef<float> group, float largest,
                                     float half) {
  constexpr int kMost = 128;
  float size = std::fabs(largest);
  if (size == 0.0F)
    return 0.0F;
  // One value rules out nearly every divisor of the largest.
  const float *probe = llvm::find_if(group, [&](float value) {
    return value != 0.0F && std::fabs(value) != size;
  });
  float part = probe == group.end() ? 0.0F : std::fabs(*probe) / size;
  std::array<float, kMost + 1> distances;
  for (int divisor = 1; divisor <= kMost; ++divisor) {
    float multiple = part * float(divisor);
    distances[divisor] = std::fabs(multiple - nearest(multiple));
  }
  for (int divisor = 1; divisor <= int(half); ++divisor) {
    if (distances[divisor] > kSlack)
      continue;
    float scale = size / float(divisor);
    if (float(divisor) == half) // the one magnitude that has one sign only
      scale = -largest / half;
    if (!isOnGrid(group, scale, half))
      continue;
    float rounded = roundToHalf(scale);
    bool isFine = std::fabs(rounded - scale) <= kHalfError * std::fabs(scale);
    return isFine ? std::optional(rounded) : std::nullopt;
  }
  return std::nullopt;
}

/// A scale that f16 holds.
static float chooseScale(QuantizedType type, ArrayRef<float> group) {
  float largest = findLargest(group);
  if (std::optional<float> grid =
          findGrid(group, largest, float(type.getZeroPoint())))
    return *grid;
  if (type.getBits() == 8)
    return roundToHalf(std::fabs(largest) / 127.0F);
  float best = 0.0F;
  float least = INFINITY;
  for (float cut : kCuts) {
    float scale = roundToHalf(cut * largest / -8.0F);
    float loss = measureLoss(group, scale);
    if (loss < least) {
      least = loss;
      best = scale;
    }
  }
  return best;
}

void mlir::llama::packRow(QuantizedType type, ArrayRef<float> row,
                          MutableArrayRef<uint8_t> integers,
                          MutableArrayRef<uint16_t> scales) {
  llamaabi::QuantizedLayout layout{static_cast<int>(type.getBits()),
                                   static_cast<int>(type.getGroup())};
  int zero = layout.getZeroPoint();
  int64_t group = type.getGroup(), columns = row.size();
  std::fill(integers.begin(), integers.end(), 0);
  for (int64_t number = 0, end = scales.size(); number < end; ++number) {
    int64_t first = std::min(number * group, columns);
    ArrayRef<float> values = row.slice(first, std::min(group, columns - first));
    float scale = values.empty() ? 0.0F : chooseScale(type, values);
    scales[number] = llamaweights::floatToHalf(scale);
    for (int64_t i = 0; i < group; ++i) {
      float value = i < int64_t(values.size()) ? values[i] : 0.0F;
      int integer = static_cast<int>(
          quantize(value, scale, float(-zero), float(zero - 1)));
      auto [byte, shift] = layout.locate(number * group + i);
      integers[byte] |= static_cast<uint8_t>((integer + zero) << shift);
    }
  }
}
