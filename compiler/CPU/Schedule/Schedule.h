//===- Schedule.h - The numbers of one CPU ----------------------*- C++ -*-===//
//
//   machine, matrix, rows  =>  #kernel.schedule, and why not a better one
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_SCHEDULE_SCHEDULE_H
#define LLAMA_COMPILER_CPU_SCHEDULE_SCHEDULE_H

#include "compiler/Machine/TargetInfo.h"
#include "dialects/Kernel/IR/KernelOps.h"

namespace mlir::llama {

/// What the schedule of a product depends on besides the machine.
struct ProductShape {
  llamaabi::ElementFormat matrix;
  bool hasBF16Rows;
  int64_t out, in; ///< rows and columns of the matrix
  bool isOfLogits; ///< each row is the last of another sequence

  static ProductShape get(MatmulOp product);
};

/// An instruction, by its short name, that a product did not get.
struct Refusal {
  std::string instruction, reason;
};

struct KernelChoice {
  ScheduleAttr schedule;
  SmallVector<Refusal> refused;
};

KernelChoice chooseKernel(MLIRContext *context, const TargetInfo &target,
                          const ProductShape &product);

/// Of what is computed element by element, and of attention.
struct VectorSchedule {
  int64_t lanes;        ///< f32 elements of a vector register
  int64_t rowElements;  ///< elements of a row handled at once
  int64_t accumulators; ///< registers for them in a product of attention

  static VectorSchedule get(const TargetInfo &target);
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_SCHEDULE_SCHEDULE_H
