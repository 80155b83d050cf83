//===- PackWeights.h - Rows of numbers to panels of a model -----*- C++ -*-===//
//
//   rows of f32  =>  integers, scales and minimums  =>  a panel
//   rows as they are in f32, f16 or bf16            =>  a panel
//
// runtime/abi/PanelLayout.h says where in a panel everything lies.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_QUANTIZATION_PACKWEIGHTS_H
#define LLAMA_WEIGHTS_QUANTIZATION_PACKWEIGHTS_H

#include "runtime/abi/PanelLayout.h"

#include "llvm/ADT/ArrayRef.h"

#include <vector>

namespace llamaweights {

using llamaabi::ElementFormat;
using llamaabi::PanelLayout;

/// What a row of n becomes: layout.getPaddedColumns(n) integers, one in a byte,
/// layout.getGroups(n) scales of f16, and as many minimums if the format has
/// any.
struct PackedRow {
  llvm::MutableArrayRef<uint8_t> codes;
  llvm::MutableArrayRef<uint16_t> scales, minimums;
};

/// Up to 16 of them, one after the other.
struct PackedRows {
  PackedRows(const PanelLayout &layout, int64_t columns);

  PackedRow getRow(int64_t row);

  std::vector<uint8_t> codes;             ///< [16, padded columns]
  std::vector<uint16_t> scales, minimums; ///< [16, groups]
};

/// Quantizes a row.
///
/// A group whose values are whole multiples of one number already, as those of
/// a quantized checkpoint are, keeps them: exactly if that number is one of
/// f16, else with a scale rounded to f16. Of other groups the largest magnitude
/// becomes 127 with 8 bits; with 4 bits, of which -8 is one, the scale is the
/// one of a few that loses least (sum of squares). With minimums the smallest
/// number becomes 0 and the largest all ones; with 4 bits scale and minimum are
/// those of a few that lose least.
void packRow(const ElementFormat &format, llvm::ArrayRef<float> row,
             PackedRow into);

/// Stores codes as they are, a format with minimums and groups of 32: `scales`
/// and `minimums` for every 32 of `codes`.
void packCodes(const ElementFormat &format, llvm::ArrayRef<uint8_t> codes,
               llvm::ArrayRef<uint16_t> scales,
               llvm::ArrayRef<uint16_t> minimums, PackedRow into);

/// Lays rows of integers of `columns` out as a panel of
/// layout.getPanelBytes(columns) bytes; `count` of them are there, zeros stand
/// for the others.
void packPanel(const PanelLayout &layout, int64_t columns,
               const PackedRows &rows, int64_t count,
               llvm::MutableArrayRef<uint8_t> panel);

/// The same of floating point, rows of `columns` elements one after the other.
void packPanel(const PanelLayout &layout, int64_t columns,
               llvm::ArrayRef<char> rows, llvm::MutableArrayRef<uint8_t> panel);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_QUANTIZATION_PACKWEIGHTS_H
