//===- PackWeights.cpp - Rows of numbers to panels of a model -------------===//

#include "weights/Quantization/PackWeights.h"

#include "weights/FloatConversion.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

using namespace llamaweights;
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
  return halfToFloat(floatToHalf(value));
}

/// The nearest whole number, of a tie the even one, up to 2^22. By way of a sum
/// that has no bits left for a fraction: plain code, so that loops over it
/// become vectors.
static float nearest(float value) {
  constexpr float kWhole = 12582912.0F; // 1.5 * 2^23
  return (value + kWhole) - kWhole;
}

/// The whole number nearest to value / scale, at most `least` or `most`; NaN
/// becomes `least`: every comparison with NaN is false.
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

/// A scale that f16 holds, of a group that is not on a grid.
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
static Line chooseLine(const ElementFormat &format, ArrayRef<float> group) {
  float zero = float(1 << (format.bits - 1));
  float largest = findLargest(group);
  std::optional<float> grid = findGrid(group, largest, zero);
  if (grid || !format.hasMinimum) {
    float scale = grid ? *grid : searchScale(format.bits, group, largest);
    return {scale, -zero * scale};
  }
  return searchLine(format.bits, group);
}

void llamaweights::packRow(const ElementFormat &format, ArrayRef<float> row,
                           PackedRow into) {
  int zero = 1 << (format.bits - 1);
  int64_t group = format.group, columns = row.size();
  for (int64_t number = 0, end = into.scales.size(); number < end; ++number) {
    int64_t first = std::min(number * group, columns);
    ArrayRef<float> values = row.slice(first, std::min(group, columns - first));
    Line line = values.empty() ? Line() : chooseLine(format, values);
    into.scales[number] = floatToHalf(line.scale);
    if (format.hasMinimum)
      into.minimums[number] = floatToHalf(line.minimum);
    for (int64_t i = 0; i < group; ++i) {
      float value = i < int64_t(values.size()) ? values[i] : 0.0F;
      float code = format.hasMinimum ? line.quantize(value, float(2 * zero - 1))
                                     : quantize(value, line.scale, float(-zero),
                                                float(zero - 1)) +
                                           float(zero);
      into.codes[number * group + i] = static_cast<uint8_t>(code);
    }
  }
}

void llamaweights::packCodes(const ElementFormat &format,
                             ArrayRef<uint8_t> codes, ArrayRef<uint16_t> scales,
                             ArrayRef<uint16_t> minimums, PackedRow into) {
  assert(format.hasMinimum && format.group == 32 && "as blocks are");
  std::fill(into.codes.begin(), into.codes.end(), 0);
  llvm::copy(codes, into.codes.begin());
  for (auto [from, to] :
       {std::pair(scales, into.scales), std::pair(minimums, into.minimums)}) {
    std::fill(to.begin(), to.end(), 0);
    llvm::copy(from, to.begin());
  }
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

PackedRows::PackedRows(const PanelLayout &layout, int64_t columns)
    : codes(PanelLayout::kPanelRows * layout.getPaddedColumns(columns)),
      scales(PanelLayout::kPanelRows * layout.getGroups(columns)),
      minimums(layout.format.hasMinimum ? scales.size() : 0) {}

PackedRow PackedRows::getRow(int64_t row) {
  auto part = [&](auto &list) {
    size_t size = list.size() / PanelLayout::kPanelRows;
    return MutableArrayRef(list).slice(row * size, size);
  };
  return {part(codes), part(scales), part(minimums)};
}

/// A number at a byte of the panel.
template <typename T>
static void put(MutableArrayRef<uint8_t> panel, int64_t byte, T value) {
  std::memcpy(panel.data() + byte, &value, sizeof(value));
}

void llamaweights::packPanel(const PanelLayout &layout, int64_t columns,
                             const PackedRows &rows, int64_t count,
                             MutableArrayRef<uint8_t> panel) {
  int64_t padded = layout.getPaddedColumns(columns);
  int64_t groups = layout.getGroups(columns), inLine = layout.getLineColumns();
  int64_t lines = layout.getGroupLines();
  std::fill(panel.begin(), panel.end(), 0);
  for (int64_t lane = 0; lane < count; ++lane) {
    const uint8_t *row = rows.codes.data() + lane * padded;
    for (int64_t line = 0; line < padded / inLine; ++line, row += inLine) {
      uint8_t *to = panel.data() +
                    layout.locateLine(line / lines, line % lines) +
                    lane * layout.getWordBytes();
      for (int64_t i = 0; i < 4; ++i)
        to[i] = layout.format.bits == 8
                    ? row[i]
                    : static_cast<uint8_t>(row[i] | row[4 + i] << 4);
    }
    for (int64_t group = 0; group < groups; ++group) {
      int64_t at = lane * groups + group;
      put(panel, layout.locateScales(group) + 2 * lane, rows.scales[at]);
      if (layout.format.hasMinimum)
        put(panel, layout.locateMinimums(group) + 2 * lane, rows.minimums[at]);
    }
  }
}

/// Words of so many bytes, each from a row to its place in a line.
template <size_t bytes>
static void packWords(const PanelLayout &layout, int64_t rowBytes,
                      ArrayRef<char> rows, MutableArrayRef<uint8_t> panel) {
  constexpr int64_t kRows = PanelLayout::kPanelRows;
  int64_t count = std::min<int64_t>(rows.size() / rowBytes, kRows);
  int64_t words = rowBytes / bytes, rest = rowBytes % bytes;
  assert(layout.getLineBytes() == kRows * bytes && "a word of every row");
  for (int64_t lane = 0; lane < count; ++lane) {
    const char *from = rows.data() + lane * rowBytes;
    uint8_t *to = panel.data() + lane * bytes;
    for (int64_t i = 0; i < words; ++i, from += bytes, to += kRows * bytes)
      std::memcpy(to, from, bytes);
    std::memcpy(to, from, rest);
  }
}

void llamaweights::packPanel(const PanelLayout &layout, int64_t columns,
                             ArrayRef<char> rows,
                             MutableArrayRef<uint8_t> panel) {
  std::fill(panel.begin(), panel.end(), 0);
  int64_t rowBytes = columns * layout.format.bits / 8;
  if (layout.getWordBytes() == 2)
    packWords<2>(layout, rowBytes, rows, panel);
  else
    packWords<4>(layout, rowBytes, rows, panel);
}
