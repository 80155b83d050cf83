//===- Passes.h - From linalg to loops for one CPU --------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_PASSES_H
#define LLAMA_COMPILER_CPU_PASSES_H

#include "dialects/Kernel/IR/KernelOps.h"
#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::llama {

#define GEN_PASS_DECL
#include "compiler/CPU/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/CPU/Passes.h.inc"

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_PASSES_H
