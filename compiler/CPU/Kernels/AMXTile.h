//===- AMXTile.h - Products in the tile registers of AMX --------*- C++ -*-===//
//
//   sums of 16 or 32 rows by 16 or 32 matrix rows: one, two or four registers
//
//   =>  for 64 bytes of k: one or two tiles of rows, one or two of the matrix,
//                          each multiplied with each
//
// 16 lines of a panel are a right-hand tile as they are stored, 16 rows of
// activations a left-hand one. Each tile that is loaded is used twice where
// there are two by two, and the sums stay in registers.
//
// All tiles of a function must be 16 lines of 64 bytes: of the register
// allocator's eight there is none left for another shape.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_KERNELS_AMXTILE_H
#define LLAMA_COMPILER_CPU_KERNELS_AMXTILE_H

#include "dialects/Kernel/IR/Instructions.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {

/// Rows of a tile.
inline constexpr int64_t kTileRows = 16;
/// Bytes of a row of a tile: what is added at once.
inline constexpr int64_t kTileBytes = 64;

/// Elements of the left and of the right side that tiles hold.
amx::TileType getTileType(Type element);

/// Adds the products of `left`, [rows / 16], and `right`, [columns / 16], to
/// `sums`, row by row.
SmallVector<Value> emitTileProducts(ImplicitLocOpBuilder &b,
                                    Instruction instruction,
                                    ArrayRef<Value> left, ArrayRef<Value> right,
                                    ValueRange sums);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_KERNELS_AMXTILE_H
