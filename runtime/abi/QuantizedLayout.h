//===- QuantizedLayout.h - Matrices of small integers in a model *- C++ -*-===//
//
// How a matrix of quantized integers lies in the block of weights: all its
// integers, then all its scales (f16), then all its minimums (f16) if it has
// any, each in panels of 16 rows. The description of !llama.quantized says why.
// All that writes or reads these bytes includes this header.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_QUANTIZEDLAYOUT_H
#define LLAMA_RUNTIME_ABI_QUANTIZEDLAYOUT_H

#include <cstdint>

namespace llamaabi {

/// Where an integer is stored.
struct QuantizedPlace {
  int64_t byte; ///< of its panel
  int shift;    ///< of its lowest bit in that byte
};

/// `bits` is 4 or 8, `group` 32, 64, 128 or 256 elements that share a scale.
/// An element is scale * (integer - zero point), or scale * integer + minimum.
struct QuantizedLayout {
  int bits, group;
  bool hasMinimum = false;

  /// Rows that lie side by side.
  static constexpr int64_t kPanelRows = 16;
  /// Bytes of a line: 4 of each row of a panel.
  static constexpr int64_t kLineBytes = 4 * kPanelRows;

  constexpr int getZeroPoint() const { return 1 << (bits - 1); }
  static constexpr int64_t getPanels(int64_t rows) {
    return (rows + kPanelRows - 1) / kPanelRows;
  }
  /// Elements of each row in a line.
  constexpr int64_t getLineColumns() const { return 32 / bits; }
  /// Elements of a stored row: whole groups.
  constexpr int64_t getPaddedColumns(int64_t columns) const {
    return (columns + group - 1) / group * group;
  }
  /// Bytes of the integers of a row.
  constexpr int64_t getRowBytes(int64_t columns) const {
    return getPaddedColumns(columns) * bits / 8;
  }
  /// Scales of a row, and minimums if there are any.
  constexpr int64_t getRowScales(int64_t columns) const {
    return getPaddedColumns(columns) / group;
  }
  constexpr int64_t getMatrixBytes(int64_t rows, int64_t columns) const {
    int64_t groupBytes = hasMinimum ? 4 : 2;
    return getPanels(rows) * kPanelRows *
           (getRowBytes(columns) + groupBytes * getRowScales(columns));
  }
  /// The place of element k of row `lane` of a panel.
  constexpr QuantizedPlace locate(int64_t lane, int64_t k) const {
    return {k / getLineColumns() * kLineBytes + lane * 4 + k % 4,
            bits == 8 ? 0 : static_cast<int>(k / 4 % 2 * 4)};
  }
  /// The place of the scale of group `number` of that row, in numbers.
  static constexpr int64_t locateScale(int64_t lane, int64_t number) {
    return number * kPanelRows + lane;
  }
};

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_QUANTIZEDLAYOUT_H
