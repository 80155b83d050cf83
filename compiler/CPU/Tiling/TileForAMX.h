//===- TileForAMX.h - Products of prompt rows on AMX tiles ------*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_TILING_TILEFORAMX_H
#define LLAMA_COMPILER_CPU_TILING_TILEFORAMX_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::llama {

/// Sizes of what the loops over tiles hold at once.
struct AMXSizes {
  int64_t rowsPerPass;  ///< rows of activations, a multiple of 32
  int64_t panelColumns; ///< rows of the matrix, at most, a multiple of 32
  int64_t depth;        ///< elements of a sum, at most, a multiple of 32
};

/// The products that `root` reads or is: two parallel loops and a sum.
SmallVector<linalg::GenericOp> findProducts(linalg::GenericOp root);

/// Why the products of one root cannot run on tiles, in words; empty if they
/// can: bf16, sums of a multiple of 32 elements, 64 columns or more in
/// multiples of 32.
std::string findAMXObstacle(ArrayRef<linalg::GenericOp> products);

/// Computes the first `rows` rows of `root` into `init` and returns that; the
/// rest of `init` is as before. The products themselves become linalg.generic
/// ops with kAMXTileAttr, which LowerAMXTiles turns into instructions.
FailureOr<Value> tileForAMX(RewriterBase &rewriter, linalg::GenericOp root,
                            Value init, Value rows, const AMXSizes &sizes);

/// On a linalg.generic, a unit: a product of tiles, added to its output. Of
/// bf16, 32 rows of a matrix and 32 of packed activations; of bytes, 16 or 32
/// rows of activations and one or two panels of a quantized matrix.
inline constexpr StringLiteral kAMXTileAttr = "llama.amx_tile";

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_TILING_TILEFORAMX_H
