//===- PackWeights.cpp - Rows of numbers to integers with scales ----------===//

#include "compiler/Target/PackWeights.h"

#include "weights/FloatConversion.h"

#include "llvm/ADT/SmallVector.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir::llama;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

// Scales tried for 4 bits: the largest magnitude becomes -8 at the first, and
// is cut off by the later ones.
static constexpr float kCuts[] = {1.0F, 0.95F, 0.9F, 0.85F, 0.8F};

static float roundToHalf(float value) {
  return llamaweights::halfToFloat(llamaweights::floatToHalf(value));
}

/// The whole number nearest to value / scale, at most `least` or `most`. Rounds
/// to even by way of a sum that has no bits left for a fraction: plain code, so
/// that loops over it become vectors.
static float quantize(float value, float scale, float least, float most) {
  constexpr float kWhole = 12582912.0F; // 1.5 * 2^23
  float ratio = scale == 0.0F ? 0.0F : value / scale;
  return (std::min(std::max(ratio, least), most) + kWhole) - kWhole;
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

/// A scale that f16 holds.
static float chooseScale(QuantizedType type, ArrayRef<float> group) {
  float largest = findLargest(group);
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

/// Where element k of a row is stored: its byte, and the shift there.
static std::pair<int64_t, int> locate(QuantizedType type, int64_t k) {
  if (type.getGroup() == 32) {
    int64_t in = k % 64;
    k += in % 32 / 4 * 8 + in / 32 * 4 + in % 4 - in;
  }
  if (type.getBits() == 8)
    return {k, 0};
  return {k / 128 * 64 + k % 64, k / 64 % 2 * 4};
}

void mlir::llama::packRow(QuantizedType type, ArrayRef<float> row,
                          MutableArrayRef<uint8_t> integers,
                          MutableArrayRef<uint16_t> scales) {
  int zero = type.getZeroPoint();
  int64_t group = type.getGroup(), columns = row.size();
  std::fill(integers.begin(), integers.end(), 0);
  for (int64_t number = 0, end = scales.size(); number < end; ++number) {
    int64_t first = std::min(number * group, columns);
    ArrayRef<float> values = row.slice(first, std::min(group, columns - first));
    float scale = values.empty() ? 0.0F : chooseScale(type, values);
    scales[number] = llamaweights::floatToHalf(scale);
    for (int64_t i = 0; i < group; ++i) {
      float value = i < int64_t(values.size()) ? values[i] : 0.0F;
      float whole = type.getBits() == 8
                        ? quantize(value, scale, -127.0F, 127.0F)
                        : quantize(value, scale, -8.0F, 7.0F);
      int integer = static_cast<int>(whole);
      auto [byte, shift] = locate(type, number * group + i);
      integers[byte] |= static_cast<uint8_t>((integer + zero) << shift);
    }
  }
}
