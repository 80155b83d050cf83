//===- PackWeightsTest.cpp - Rows of numbers to panels of a model ---------===//
//
// What lies on a grid already keeps its integers; what does not loses half a
// step at most. Every element of a panel is where runtime/abi's layout says.
//
//===----------------------------------------------------------------------===//

#include "weights/Quantization/PackWeights.h"

#include "weights/FloatConversion.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace llamaweights;

namespace {

float roundToHalf(float value) {
  return llamaweights::halfToFloat(llamaweights::floatToHalf(value));
}

struct Packed {
  std::vector<int> integers;
  std::vector<float> scales, minimums, values;
};

class PackWeights : public testing::Test {
protected:
  using Fill = llvm::function_ref<void(const ElementFormat &, PackedRow)>;

  /// What `fill` stores as a row of `columns`.
  Packed packWith(int bits, int group, bool minimum, int64_t columns,
                  Fill fill) {
    auto format = ElementFormat::getInteger(bits, group, minimum);
    PanelLayout layout{format};
    std::vector<uint8_t> codes(layout.getPaddedColumns(columns), 0x5a);
    std::vector<uint16_t> scales(layout.getGroups(columns), 0x5a5a);
    std::vector<uint16_t> minimums(minimum ? scales.size() : 0, 0x5a5a);
    fill(format, {codes, scales, minimums});
    Packed result;
    for (uint16_t scale : scales)
      result.scales.push_back(llamaweights::halfToFloat(scale));
    for (uint16_t each : minimums)
      result.minimums.push_back(llamaweights::halfToFloat(each));
    for (int64_t k = 0; k < columns; ++k) {
      int integer = codes[k] - format.getZeroPoint();
      float base = minimum ? result.minimums[k / group] : 0.0f;
      result.integers.push_back(integer);
      result.values.push_back(float(integer) * result.scales[k / group] + base);
    }
    return result;
  }

  Packed pack(int bits, int group, const std::vector<float> &row,
              bool minimum = false) {
    return packWith(bits, group, minimum, static_cast<int64_t>(row.size()),
                    [&](const ElementFormat &format, PackedRow into) {
                      packRow(format, row, into);
                    });
  }

  /// Root of the mean square of what packing loses.
  double getLoss(const Packed &packed, const std::vector<float> &row) {
    double sum = 0.0;
    for (size_t i = 0; i < row.size(); ++i) {
      double lost = double(packed.values[i]) - double(row[i]);
      sum += lost * lost;
    }
    return std::sqrt(sum / double(row.size()));
  }

  /// Integers of 32, times `scale`.
  static std::vector<float> multiply(const std::vector<int> &codes,
                                     float scale) {
    std::vector<float> row;
    for (int code : codes)
      row.push_back(float(code) * scale);
    return row;
  }

  std::vector<int> draw(int low, int high, size_t count = 32) {
    std::vector<int> codes(count);
    for (int &code : codes)
      code = std::uniform_int_distribution<int>(low, high)(random);
    return codes;
  }

  std::mt19937 random{5};
};

TEST_F(PackWeights, ZeroPointIsThatOfTheFormat) {
  EXPECT_EQ(ElementFormat::getInteger(4, 32).getZeroPoint(), 8);
  EXPECT_EQ(ElementFormat::getInteger(8, 32).getZeroPoint(), 128);
  EXPECT_EQ(ElementFormat::getInteger(4, 32, true).getZeroPoint(), 0);
  EXPECT_EQ(ElementFormat::getFloat(llamaabi::ElementKind::BF16).getZeroPoint(),
            0);
}

/// Every element and every factor is where the layout says; missing rows are
/// zeros.
TEST_F(PackWeights, LaysOutPanelsOfIntegers) {
  for (auto [bits, minimum] :
       {std::pair(4, false), {8, false}, {4, true}, {8, true}})
    for (int64_t count : {1, 15, 16}) {
      constexpr int64_t kColumns = 70, kPadded = 96, kGroups = 3;
      PanelLayout layout{ElementFormat::getInteger(bits, 32, minimum)};
      ASSERT_EQ(layout.getPaddedColumns(kColumns), kPadded);
      PackedRows rows(layout, kColumns);
      for (uint8_t &code : rows.codes)
        code = static_cast<uint8_t>(draw(1, (1 << bits) - 1, 1)[0]);
      for (auto *list : {&rows.scales, &rows.minimums})
        for (uint16_t &each : *list)
          each = static_cast<uint16_t>(draw(1, 0xffff, 1)[0]);
      std::vector<uint8_t> panel(layout.getPanelBytes(kColumns), 0x5a);
      packPanel(layout, kColumns, rows, count, panel);
      auto half = [&](int64_t byte) {
        return panel.at(byte) | panel.at(byte + 1) << 8;
      };
      for (int64_t lane = 0; lane < 16; ++lane) {
        bool isThere = lane < count;
        for (int64_t k = 0; k < kPadded; ++k) {
          auto [byte, shift] = layout.locate(lane, k);
          int mask = (1 << bits) - 1;
          EXPECT_EQ(panel.at(byte) >> shift & mask,
                    isThere ? rows.codes[lane * kPadded + k] : 0);
        }
        for (int64_t group = 0; group < kGroups; ++group) {
          int64_t at = lane * kGroups + group;
          EXPECT_EQ(half(layout.locateScales(group) + 2 * lane),
                    isThere ? rows.scales[at] : 0);
          if (minimum)
            EXPECT_EQ(half(layout.locateMinimums(group) + 2 * lane),
                      isThere ? rows.minimums[at] : 0);
        }
      }
    }
}

TEST_F(PackWeights, LaysOutPanelsOfFloatingPoint) {
  using llamaabi::ElementKind;
  for (ElementKind kind :
       {ElementKind::F32, ElementKind::F16, ElementKind::BF16})
    for (int64_t columns : {1, 6, 7})
      for (int64_t count : {1, 16}) {
        PanelLayout layout{ElementFormat::getFloat(kind)};
        int64_t bytes = layout.format.bits / 8;
        std::vector<int> drawn = draw(1, 255, size_t(count * columns * bytes));
        std::vector<char> rows(drawn.begin(), drawn.end());
        std::vector<uint8_t> panel(layout.getPanelBytes(columns), 0x5a);
        packPanel(layout, columns, rows, panel);
        std::vector<uint8_t> expected(panel.size());
        for (int64_t lane = 0; lane < count; ++lane)
          for (int64_t k = 0; k < columns; ++k)
            for (int64_t i = 0; i < bytes; ++i)
              expected.at(layout.locate(lane, k).byte + i) =
                  static_cast<uint8_t>(rows[(lane * columns + k) * bytes + i]);
        EXPECT_EQ(panel, expected);
      }
}

TEST_F(PackWeights, KeepsIntegersAndTheirScale) {
  for (auto [bits, low, high] : {std::tuple(4, -8, 7),
                                 {4, -7, 7},
                                 {4, -3, 7},
                                 {8, -128, 127},
                                 {8, -127, 127},
                                 {8, -60, 101},
                                 {8, -16, 15}})
    for (int round = 0; round < 200; ++round) {
      // Scales of every size that f16 has, subnormal ones among them.
      float scale =
          std::ldexp(float(std::uniform_int_distribution<int>(1, 2047)(random)),
                     std::uniform_int_distribution<int>(-24, -8)(random));
      scale = roundToHalf(round % 2 ? scale : -scale);
      std::vector<int> codes = draw(low, high);
      codes[3] = low; // a prime beside it: no smaller codes give the same
      codes[4] = bits == 4 ? 7 : low < -100 ? 127 : 13;
      std::vector<float> row = multiply(codes, scale);
      Packed packed = pack(bits, 32, row);
      EXPECT_EQ(packed.values, row);
      EXPECT_EQ(std::fabs(packed.scales[0]), std::fabs(scale));
    }
}

TEST_F(PackWeights, KeepsIntegersUnderARoundedScale) {
  for (int bits : {4, 8})
    for (int round = 0; round < 200; ++round) {
      float scale = std::uniform_real_distribution<float>(1e-4f, 1.0f)(random);
      std::vector<int> codes = draw(-(1 << (bits - 1)), (1 << (bits - 1)) - 1);
      codes[0] = 1;
      Packed packed = pack(bits, 32, multiply(codes, scale));
      EXPECT_EQ(packed.integers, codes);
      EXPECT_EQ(packed.scales[0], roundToHalf(scale));
    }
}

/// A scale for a longer run of columns is one for each group of it.
TEST_F(PackWeights, KeepsIntegersOfWholeRows) {
  std::vector<int> codes = draw(-128, 127, 512);
  for (int i = 0; i < 512; i += 128)
    codes[i + 7] = 1;
  Packed packed = pack(8, 128, multiply(codes, 0.001234567f));
  EXPECT_EQ(packed.integers, codes);
  EXPECT_EQ(packed.scales, std::vector<float>(4, roundToHalf(0.001234567f)));
}

TEST_F(PackWeights, RoundsWhatIsNotOnAGrid) {
  std::normal_distribution<float> normal(0.0f, 0.02f);
  for (int bits : {4, 8})
    for (int group : {32, 64, 128, 256}) {
      std::vector<float> row(size_t(2 * group + 5));
      for (float &value : row)
        value = normal(random);
      Packed packed = pack(bits, group, row);
      for (size_t begin = 0; begin < row.size(); begin += size_t(group)) {
        size_t end = std::min(row.size(), begin + size_t(group));
        double largest = 0.0, lost = 0.0, worst = 0.0;
        for (size_t i = begin; i < end; ++i) {
          double loss = std::fabs(double(packed.values[i]) - double(row[i]));
          largest = std::max(largest, std::fabs(double(row[i])));
          worst = std::max(worst, loss);
          lost += loss * loss;
        }
        double step = largest / (bits == 8 ? 127.0 : 8.0);
        double root = std::sqrt(lost / double(end - begin));
        EXPECT_LE(root, 0.45 * step);
        if (bits == 8)
          EXPECT_LE(worst, 0.5 * step + largest * 0x1p-11);
      }
    }
}

/// Codes of blocks that have minimums stay what they are, whatever they are.
TEST_F(PackWeights, StoresCodes) {
  for (int bits : {4, 8}) {
    std::vector<int> drawn = draw(0, (1 << bits) - 1, 160);
    std::vector<uint8_t> codes(drawn.begin(), drawn.end());
    std::vector<uint16_t> scales = {0x3c00, 0x8001, 0x0001, 0x7bff, 0x1234};
    std::vector<uint16_t> minimums = {0xbc00, 0x8000, 0x0000, 0xfbff, 0x4321};
    auto fill = [&](const ElementFormat &format, PackedRow into) {
      packCodes(format, codes, scales, minimums, into);
      EXPECT_EQ(into.scales.take_front(5), llvm::ArrayRef(scales));
      EXPECT_EQ(into.minimums.take_front(5), llvm::ArrayRef(minimums));
      for (size_t i = 5; i < into.scales.size(); ++i) // padding
        EXPECT_EQ(into.scales[i] | into.minimums[i], 0);
    };
    EXPECT_EQ(packWith(bits, 32, true, 160, fill).integers, drawn);
  }
}

/// A group without a minimum of its own is one whose least integer is it.
TEST_F(PackWeights, KeepsIntegersAsThoseWithAMinimum) {
  for (auto [bits, low, high] : {std::tuple(4, -8, 7), {8, -128, 127}}) {
    std::vector<int> codes = draw(low, high);
    codes[3] = low;
    codes[4] = high;
    std::vector<float> row = multiply(codes, 0x1.8p-7f);
    EXPECT_EQ(pack(bits, 32, row, /*minimum=*/true).values, row);
  }
}

/// Numbers that are all of one sign have half the range of those around zero.
TEST_F(PackWeights, RoundsWithAMinimum) {
  std::normal_distribution<float> normal(0.05f, 0.01f);
  for (int bits : {4, 8})
    for (int group : {32, 64, 128, 256}) {
      std::vector<float> row(size_t(2 * group + 5));
      for (float &value : row)
        value = normal(random);
      auto [low, high] = std::minmax_element(row.begin(), row.end());
      double step = double(*high - *low) / ((1 << bits) - 1);
      Packed packed = pack(bits, group, row, /*minimum=*/true);
      // Rounding evenly costs step / sqrt(12); f16 holds 11 bits of a minimum.
      EXPECT_LE(getLoss(packed, row), 0.3 * step + 0.05 * 0x1p-11);
      EXPECT_LT(getLoss(packed, row), getLoss(pack(bits, group, row), row));
    }
}

TEST_F(PackWeights, TakesNaNAndInfinity) {
  std::vector<float> row(64, 0.0f);
  EXPECT_EQ(pack(4, 32, row).values, row);
  EXPECT_EQ(pack(8, 64, row).values, row);
  row.assign(64, 1e-30f); // below every scale
  EXPECT_EQ(pack(4, 32, row).values, std::vector<float>(64, 0.0f));
  EXPECT_EQ(pack(4, 32, std::vector<float>(64, 0.0f), true).values,
            std::vector<float>(64, 0.0f));
  EXPECT_EQ(pack(8, 64, std::vector<float>(64, 0.25f), true).values,
            std::vector<float>(64, 0.25f));
  row[5] = std::nanf("");
  row[40] = INFINITY;
  for (bool minimum : {false, true}) {
    pack(4, 32, row, minimum);
    pack(8, 32, row, minimum);
  }
}

} // namespace
