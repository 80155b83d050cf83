//===- QuantizedLayout.h - Matrices of small integers in a model *- C++ -*-===//
//
// How a matrix of quantized integers lies in the block of weights: all its
// integers, row by row, then all its scales (f16), then all its minimums (f16)
// if it has any. The description of !llama.quantized says why. Whoever writes
// or reads these bytes includes this header.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_QUANTIZEDLAYOUT_H
#define LLAMA_RUNTIME_ABI_QUANTIZEDLAYOUT_H

#include <cstdint>

namespace llamaabi {

/// Where an integer of a row is stored.
struct QuantizedPlace {
  int64_t byte;
  int shift; ///< of its lowest bit in that byte
};

/// `bits` is 4 or 8, `group` 32, 64, 128 or 256 elements that share a scale.
/// An element is scale * (integer - zero point), or scale * integer + minimum.
struct QuantizedLayout {
  int bits, group;
  bool hasMinimum = false;

  constexpr int getZeroPoint() const { return 1 << (bits - 1); }
  /// Elements of a stored row: whole groups and whole vectors of 64 bytes.
  constexpr int64_t getPaddedColumns(int64_t columns) const {
    int64_t vector = 512 / bits;
    int64_t unit = vector > group ? vector : group;
    return (columns + unit - 1) / unit * unit;
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
    return rows * (getRowBytes(columns) + groupBytes * getRowScales(columns));
  }
  /// The place of element k of a row.
  constexpr QuantizedPlace locate(int64_t k) const {
    if (group == 32) { // two groups take turns by fours
      int64_t in = k % 64;
      k += in % 32 / 4 * 8 + in / 32 * 4 + in % 4 - in;
    }
    if (bits == 8)
      return {k, 0};
    return {k / 128 * 64 + k % 64, static_cast<int>(k / 64 % 2 * 4)};
  }
};

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_QUANTIZEDLAYOUT_H
