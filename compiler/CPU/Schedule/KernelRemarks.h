//===- KernelRemarks.h - Passes say which kernels they choose ---*- C++ -*-===//
//
// MLIR's remarks of the category kKernelRemarks. Every one has the arguments
//
//   Op       the llama op that the product is a part of
//   Weight   the matrix that rows are multiplied with; empty in attention
//
// and, by its name and kind:
//
//   analysis product     Out, In: of the matrix; Padded: elements of a sum, in
//                        what is stored; Type; Rows: "rows" or "logit_rows"
//   analysis attention   Heads, KVHeads, HeadDim, Type: of the cache
//   analysis panels      RowsPerPass, Panel: rows of the matrix read side by
//                        side by one thread
//   passed amx           RowsPerPass, Panel, Depth: elements of a sum added at
//                        once; of prompt rows in bf16
//   passed KERNEL        Tile: "4 x 8" is 4 rows by 8 rows of the matrix; amx
//                        too, of a quantized one
//   missed KERNEL        Reason
//
// where KERNEL is amx, vdpbf16ps, bfdot, fma, or one of getName(ByteDots).
// Nothing is emitted, nor costs anything, unless a tool asks for it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_SCHEDULE_KERNELREMARKS_H
#define LLAMA_COMPILER_CPU_SCHEDULE_KERNELREMARKS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Remarks.h"

namespace mlir::llama {

/// Gives a product the location of one with the weight that it reads, if that
/// can be found.
void locateProduct(linalg::GenericOp product);

/// analysis product. `rows` is what the product's rows are, as in kExtentAttr.
void remarkProduct(linalg::GenericOp product, StringRef rows);

/// A remark about a part of a product, to which its arguments are added.
remark::detail::InFlightRemark remarkAnalysis(Operation *op, StringRef name);
remark::detail::InFlightRemark remarkPassed(Operation *op, StringRef name);

void remarkMissed(Operation *op, StringRef kernel, const Twine &reason);

/// passed KERNEL of a product of static shape.
void remarkTile(linalg::LinalgOp product, StringRef kernel);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_SCHEDULE_KERNELREMARKS_H
