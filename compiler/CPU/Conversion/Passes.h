//===- Passes.h - Out of the Llama dialect ----------------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_CONVERSION_PASSES_H
#define LLAMA_COMPILER_CPU_CONVERSION_PASSES_H

#include "dialects/Kernel/IR/KernelOps.h"
#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::llama {

#define GEN_PASS_DECL
#include "compiler/CPU/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/CPU/Conversion/Passes.h.inc"

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_CONVERSION_PASSES_H
