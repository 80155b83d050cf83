//===- VectorizeQuantizedAMX.h - Products of bytes on AMX tiles -*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_KERNELS_VECTORIZEQUANTIZEDAMX_H
#define LLAMA_COMPILER_CPU_KERNELS_VECTORIZEQUANTIZEDAMX_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::llama {

/// Rows of activations of a tile; columns of its sums.
inline constexpr int64_t kAMXRows = 16;

/// Why the products of one root cannot run on tiles of bytes, in words; empty
/// if they can: all quantized, 32 matrix rows or more, sums of a multiple of 64
/// elements.
std::string findAMXInt8Obstacle(ArrayRef<linalg::GenericOp> products);

/// Whether a tile of static shape with kQuantizedAttr is whole AMX tiles:
/// multiples of 16 rows and of 16 matrix rows, sums of a multiple of 64.
bool fitsAMXTiles(linalg::GenericOp op);

/// Its result, with dots that LowerAMXTiles turns into instructions.
Value vectorizeQuantizedAMX(RewriterBase &rewriter, linalg::GenericOp op);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_KERNELS_VECTORIZEQUANTIZEDAMX_H
