//===- Cuts.h - How threads share the buffers they write --------*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_THREADS_CUTS_H
#define LLAMA_COMPILER_CPU_THREADS_CUTS_H

#include "dialects/Kernel/IR/KernelOps.h"

#include "llvm/ADT/MapVector.h"

namespace mlir::llama {

/// Buffers that are written, in the order in which they were met.
using Cuts = llvm::MapVector<Value, CutAttr>;

/// The buffer that `memref` is a part of. A view of the workspace counts as a
/// buffer: no two overlap.
Value findBuffer(Value memref);

/// How the parallel loop in or at `root` shares the buffer of `memref`, which is
/// written in it: along the first number that has several known steps, or the
/// first that has several.
CutAttr findCut(Value memref, Operation *root);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_THREADS_CUTS_H
