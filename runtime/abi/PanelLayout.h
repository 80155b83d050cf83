//===- PanelLayout.h - How a matrix lies in a model -------------*- C++ -*-===//
//
// A matrix [rows, columns] that activations are multiplied with is stored in
// panels of 16 rows, one panel after the other:
//
//   int4g32    byte 0                              4          ...   60
//              +---------------------------------+-----------+-----+---------+
//     line 0   | r0: k4|k0  k5|k1  k6|k2  k7|k3  | r1: ...   |     | r15 ... |
//     line 1   | r0: k12|k8 ...                  |           |     |         |
//     line 3   | r0: k28|k24 ...                 |           |     |         |
//              +---------------------------------+-----------+-----+---------+
//     scales   | 16 of f16, r0 .. r15            |   32 bytes
//     minimums | 16 of f16, if there are any     |   32 bytes
//              +---------------------------------+
//     line 4   | the next group of 32 columns ...
//
// A line is 64 bytes: 4 bytes of each of the 16 rows. So a lane of a vector is
// a row of the matrix and nothing is ever added over lanes; a panel is read
// from its first byte to its last; and 16 lines are a right-hand tile of AMX.
// What those 4 bytes are:
//
//   f32    one element
//   bf16   elements k, k + 1
//   int8   elements k .. k + 3
//   int4   k .. k + 3 in the lower halves, k + 4 .. k + 7 in the upper ones
//
//   f16    one element, and a line is 32 bytes: no instruction adds pairs of it
//
// Integers have the scales (and minimums) of a group after the group's lines.
// Columns are padded to whole groups (floating point: to whole lines), rows to
// whole panels, both with zeros. Whoever writes or reads these bytes asks this
// header.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_PANELLAYOUT_H
#define LLAMA_RUNTIME_ABI_PANELLAYOUT_H

#include "runtime/abi/ElementFormat.h"

namespace llamaabi {

/// Where an element is stored.
struct PanelPlace {
  int64_t byte; ///< of its panel
  int shift;    ///< of its lowest bit in that byte
};

struct PanelLayout {
  ElementFormat format;

  /// Rows that lie side by side.
  static constexpr int64_t kPanelRows = 16;
  /// Bytes of the scales, or the minimums, of a group of a panel: f16.
  static constexpr int64_t kFactorBytes = 2 * kPanelRows;

  static constexpr int64_t getPanels(int64_t rows) {
    return (rows + kPanelRows - 1) / kPanelRows;
  }
  /// Bytes of each row in a line, and of a line.
  constexpr int64_t getWordBytes() const {
    return format.kind == ElementKind::F16 ? 2 : 4;
  }
  constexpr int64_t getLineBytes() const { return getWordBytes() * kPanelRows; }
  /// Elements of each row in a line.
  constexpr int64_t getLineColumns() const {
    return 8 * getWordBytes() / format.bits;
  }
  /// Columns of a group, floating point of a line, with the padding.
  constexpr int64_t getGroupColumns() const {
    return format.isInteger() ? format.group : getLineColumns();
  }
  constexpr int64_t getPaddedColumns(int64_t columns) const {
    int64_t unit = getGroupColumns();
    return (columns + unit - 1) / unit * unit;
  }
  /// Groups of a row: its scales, and minimums if there are any.
  constexpr int64_t getGroups(int64_t columns) const {
    return format.isInteger() ? getPaddedColumns(columns) / format.group : 0;
  }
  constexpr int64_t getGroupLines() const {
    return getGroupColumns() / getLineColumns();
  }
  /// Bytes from one group of a panel to the next.
  constexpr int64_t getGroupBytes() const {
    int64_t factors = !format.isInteger() ? 0 : format.hasMinimum ? 2 : 1;
    return getGroupLines() * getLineBytes() + factors * kFactorBytes;
  }
  constexpr int64_t getPanelBytes(int64_t columns) const {
    return getPaddedColumns(columns) / getGroupColumns() * getGroupBytes();
  }
  constexpr int64_t getMatrixBytes(int64_t rows, int64_t columns) const {
    return getPanels(rows) * getPanelBytes(columns);
  }

  /// The byte of a panel where line `line` of group `group` begins.
  constexpr int64_t locateLine(int64_t group, int64_t line) const {
    return group * getGroupBytes() + line * getLineBytes();
  }
  /// The bytes of a panel where the scales, and the minimums, of a group begin.
  constexpr int64_t locateScales(int64_t group) const {
    return locateLine(group, getGroupLines());
  }
  constexpr int64_t locateMinimums(int64_t group) const {
    return locateScales(group) + kFactorBytes;
  }
  /// The place of element k of row `lane` of a panel.
  constexpr PanelPlace locate(int64_t lane, int64_t k) const {
    int64_t group = k / getGroupColumns(), inGroup = k % getGroupColumns();
    int64_t line = inGroup / getLineColumns();
    int64_t inLine = inGroup % getLineColumns();
    int64_t begin = locateLine(group, line);
    if (format.bits == 4)
      return {begin + lane * getWordBytes() + inLine % 4,
              static_cast<int>(inLine / 4 * 4)};
    return {begin + lane * getWordBytes() + inLine * format.bits / 8, 0};
  }
};

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_PANELLAYOUT_H
