//===- PackWeights.cpp - Rows of numbers to integers with scales ----------===//

#include "compiler/Output/PackWeights.h"

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

/// A scale that f16 holds, of a group that is on no grid.
static float searchScale(unsigned bits, ArrayRef<float> group, float largest) {
  if (bits == 8)
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

namespace {

/// An element is scale * code + minimum; both are numbers of f16.
struct Line {
  float scale = 0.0F, minimum = 0.0F;

  float quantize(float value, float most) const {
    return ::quantize(value - minimum, scale, 0.0F, most);
  }
};

} // namespace

static Line roundLine(double scale, double minimum) {
  return {roundToHalf(static_cast<float>(scale)),
          roundToHalf(static_cast<float>(minimum))};
}

/// The line that fits the codes of `line` best (least squares), and the sum of
/// squares that `line` itself loses.
static std::pair<Line, double> fitLine(ArrayRef<float> group, Line line,
                                       float most) {
  double count = group.size();
  double codes = 0, squares = 0, values = 0, products = 0, loss = 0;
  for (float value : group) {
    double code = line.quantize(value, most);
    double lost = value - (line.scale * code + line.minimum);
    codes += code;
    squares += code * code;
    values += value;
    products += code * value;
    loss += lost * lost;
  }
  double spread = count * squares - codes * codes;
  if (spread <= 0)
    return {line, loss};
  double scale = (count * products - codes * values) / spread;
  return {roundLine(scale, (values - scale * codes) / count), loss};
}

/// From the line through the smallest and the largest value, or through points
/// a little inside of these, a few steps of codes and lines in turns.
static Line searchLine(unsigned bits, ArrayRef<float> group) {
  constexpr int kSteps = 3;
  auto [least, largest] = std::minmax_element(group.begin(), group.end());
  double low = *least, range = double(*largest) - low;
  float most = bits == 8 ? 255.0F : 15.0F;
  if (bits == 8)
    return roundLine(range / most, low);
  Line best;
  double lowest = INFINITY;
  for (double cut : {0.0, 0.05, 0.1}) {
    Line line = roundLine(range * (1 - cut) / most, low + range * cut / 2);
    for (int step = 0; step < kSteps; ++step) {
      auto [next, loss] = fitLine(group, line, most);
      if (loss < lowest) {
        lowest = loss;
        best = line;
      }
      line = next;
    }
  }
  return best;
}

/// The scale of a group, and what its integer 0 stands for. A grid without a
/// minimum is one with that of the least integer.
static Line chooseLine(QuantizedType type, ArrayRef<float> group) {
  float zero = float(1 << (type.getBits() - 1));
  float largest = findLargest(group);
  std::optional<float> grid = findGrid(group, largest, zero);
  if (grid || !type.hasMinimum()) {
    float scale = grid ? *grid : searchScale(type.getBits(), group, largest);
    return {scale, -zero * scale};
  }
  return searchLine(type.getBits(), group);
}

void mlir::llama::packRow(QuantizedType type, ArrayRef<float> row,
                          PackedRow into) {
  int zero = 1 << (type.getBits() - 1);
  int64_t group = type.getGroup(), columns = row.size();
  for (int64_t number = 0, end = into.scales.size(); number < end; ++number) {
    int64_t first = std::min(number * group, columns);
    ArrayRef<float> values = row.slice(first, std::min(group, columns - first));
    Line line = values.empty() ? Line() : chooseLine(type, values);
    into.scales[number] = llamaweights::floatToHalf(line.scale);
    if (type.hasMinimum())
      into.minimums[number] = llamaweights::floatToHalf(line.minimum);
    for (int64_t i = 0; i < group; ++i) {
      float value = i < int64_t(values.size()) ? values[i] : 0.0F;
      float code = type.hasMinimum() ? line.quantize(value, float(2 * zero - 1))
                                     : quantize(value, line.scale, float(-zero),
                                                float(zero - 1)) +
                                           float(zero);
      into.codes[number * group + i] = static_cast<uint8_t>(code);
    }
  }
}

void mlir::llama::packCodes(QuantizedType type, ArrayRef<uint8_t> codes,
                            ArrayRef<uint16_t> scales,
                            ArrayRef<uint16_t> minimums, PackedRow into) {
  assert(type.hasMinimum() && type.getGroup() == 32 && "as blocks are");
  std::fill(into.codes.begin(), into.codes.end(), 0);
  llvm::copy(codes, into.codes.begin());
  for (auto [from, to] :
       {std::pair(scales, into.scales), std::pair(minimums, into.minimums)}) {
    std::fill(to.begin(), to.end(), 0);
    llvm::copy(from, to.begin());
  }
}

void mlir::llama::packPanel(QuantizedType type, int64_t columns,
                            ArrayRef<uint8_t> codes,
                            MutableArrayRef<uint8_t> panel) {
  using llamaabi::QuantizedLayout;
  constexpr int64_t kRows = QuantizedLayout::kPanelRows;
  constexpr int64_t kLine = QuantizedLayout::kLineBytes;
  int64_t padded = type.getPaddedColumns(columns);
  int64_t rows = static_cast<int64_t>(codes.size()) / padded;
  int64_t inLine = type.getLineColumns();
  std::fill(panel.begin(), panel.end(), 0);
  for (int64_t lane = 0; lane < std::min(rows, kRows); ++lane) {
    const uint8_t *row = codes.data() + lane * padded;
    uint8_t *to = panel.data() + lane * 4;
    for (int64_t k = 0; k < padded; k += inLine, to += kLine)
      for (int64_t i = 0; i < 4; ++i)
        to[i] = type.getBits() == 8
                    ? row[k + i]
                    : static_cast<uint8_t>(row[k + i] | row[k + 4 + i] << 4);
  }
}
