//===- Phases.h - What threads do from one barrier to the next --*- C++ -*-===//
//
//   barrier
//   forall columns: kernel.matmul @layers.attention.wo part_of "linear"
//                   and loc("llama.add_rms_norm")
//   =>  #kernel.phase<ops = ["linear", "add_rms_norm"],
//                     matrices = ["layers.attention.wo"], rows = "rows">
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_PLACEMENT_PHASES_H
#define LLAMA_COMPILER_PLACEMENT_PHASES_H

#include "dialects/Kernel/IR/KernelOps.h"

#include "llvm/ADT/SetVector.h"

namespace mlir::llama {

/// Location of what the llama op `op` is lowered to: its name, "llama.swiglu",
/// around its own location.
Location getLoweredLocation(Operation *op);

/// One phase while it is being collected.
class Phase {
public:
  /// Adds what `loop`, or an op outside of loops, does. Loops are not
  /// distributed yet.
  void add(Operation *loop);

  PhaseAttr getAttribute(MLIRContext *context) const;

private:
  void addAccesses(Operation *op);

  llvm::SetVector<StringRef> ops, matrices, tables;
  StringRef rows = "rows";
  bool readsCache = false;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_PLACEMENT_PHASES_H
