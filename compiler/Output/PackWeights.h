//===- PackWeights.h - Rows of numbers to integers with scales --*- C++ -*-===//
//
// f32 row  =>  the integers, scales and minimums of !llama.quantized
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_PACKWEIGHTS_H
#define LLAMA_COMPILER_OUTPUT_PACKWEIGHTS_H

#include "dialects/Llama/IR/LlamaTypes.h"

#include "llvm/ADT/ArrayRef.h"

namespace mlir::llama {

/// What a row of n becomes: type.getPaddedColumns(n) integers, one in a byte,
/// type.getRowScales(n) numbers of f16, and as many minimums if the type has
/// any.
struct PackedRow {
  llvm::MutableArrayRef<uint8_t> codes;
  llvm::MutableArrayRef<uint16_t> scales, minimums;
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
void packRow(QuantizedType type, llvm::ArrayRef<float> row, PackedRow into);

/// Stores codes as they are, a type with minimums and groups of 32: `scales`
/// and `minimums` for every 32 of `codes`.
void packCodes(QuantizedType type, llvm::ArrayRef<uint8_t> codes,
               llvm::ArrayRef<uint16_t> scales,
               llvm::ArrayRef<uint16_t> minimums, PackedRow into);

/// Lays the integers of rows of `columns`, as above and one row after the
/// other, as a panel lies in memory: 16 * type.getRowBytes(columns) bytes. Rows
/// that are missing become zeros.
void packPanel(QuantizedType type, int64_t columns,
               llvm::ArrayRef<uint8_t> codes,
               llvm::MutableArrayRef<uint8_t> panel);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_PACKWEIGHTS_H
