//===- Steps.h - What threads do from one barrier to the next ---*- C++ -*-===//
//
//   barrier 3
//   forall panels: products with @layers.attention.wo   loc("linear"...)
//                                                       and "add_rms_norm"
//   =>  {ops = ["linear", "add_rms_norm"], matrices = ["layers.attention.wo"],
//        rows = "rows"}
//
// For profiles: kStepsAttr describes the table.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_THREADS_STEPS_H
#define LLAMA_COMPILER_CPU_THREADS_STEPS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/SetVector.h"

namespace mlir::llama {

class StepTable {
public:
  /// Of a module whose weights are placed.
  explicit StepTable(ModuleOp module);

  /// Begins the next step and returns its number.
  int64_t begin();

  /// Adds what `loop`, or an op outside of loops, does to the last step. Loops
  /// are not distributed yet.
  void add(Operation *loop);

  /// For kStepsAttr.
  ArrayAttr getAttribute(Builder &b) const;

private:
  struct Step {
    llvm::SetVector<StringRef> ops, matrices, tables;
    StringRef rows = "rows";
    bool readsCache = false;
  };

  void addBuffer(Step &step, Value memref, bool isRead, bool isPanels,
                 StringRef op) const;

  DenseMap<int64_t, StringRef> weights; ///< by offset
  std::vector<Step> steps;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_THREADS_STEPS_H
