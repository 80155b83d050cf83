//===- LlamaLocations.h - What lowered ops stem from ------------*- C++ -*-===//
//
//   llama.swiglu loc(#a)   =>   linalg.generic loc(fused<{op = "swiglu"}>[#a])
//
// Lowerings hand locations on, so an op can tell to the end what it is a part
// of. For reports and profiles only: nothing that is computed depends on it,
// and an op that was read from a file without locations stems from nothing.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMALOCATIONS_H
#define LLAMA_DIALECTS_LLAMA_IR_LLAMALOCATIONS_H

#include "mlir/IR/Location.h"
#include "mlir/IR/Operation.h"

namespace mlir::llama {

/// Location of what the llama op `op` is lowered to.
Location getLoweredLocation(Operation *op);

/// Name of the llama op, "swiglu", that something at `loc` is lowered from;
/// empty if that is unknown.
StringRef findLoweredOp(Location loc);

/// Location of a product with the weight of that name.
Location getProductLocation(Location loc, StringRef weight);

/// Name of the weight that a product at `loc` multiplies with, or empty.
StringRef findProductWeight(Location loc);

/// Category of the remarks in which passes say what kernels they choose: see
/// compiler/CPU/KernelRemarks.h.
inline constexpr StringLiteral kKernelRemarks = "kernels";

} // namespace mlir::llama

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMALOCATIONS_H
