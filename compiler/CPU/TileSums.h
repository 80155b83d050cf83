//===- TileSums.h - From vectors of partial sums to a tile ------*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_TILESUMS_H
#define LLAMA_COMPILER_CPU_TILESUMS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {

/// Writes the result of a product of static shape: `sums` has a vector of
/// partial sums for each element, row by row. Their lanes are added in one
/// order, halves to halves. The sums begin at zero, which is what the product's
/// output has been filled with.
Value writeTile(ImplicitLocOpBuilder &b, linalg::GenericOp product,
                ValueRange sums);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_TILESUMS_H
