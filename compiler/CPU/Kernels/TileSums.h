//===- TileSums.h - From vectors of partial sums to a tile ------*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_KERNELS_TILESUMS_H
#define LLAMA_COMPILER_CPU_KERNELS_TILESUMS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {

/// Computes a product of static shape, two parallel loops and a sum, with a
/// vector of `lanes` partial sums for each element, row by row. `addStep` gets
/// where `step` elements of the sum begin and the sums so far, and returns the
/// next ones. In the end their lanes are added in one order, halves to halves.
/// The sums begin at zero, which is what the product's output has been filled
/// with.
Value sumTile(
    ImplicitLocOpBuilder &b, linalg::GenericOp product, int64_t lanes,
    int64_t step,
    llvm::function_ref<SmallVector<Value>(Value at, ValueRange sums)> addStep);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_KERNELS_TILESUMS_H
