//===- Passes.h - Where things lie that a call is given ---------*- C++ -*-===//

#ifndef LLAMA_COMPILER_PLACEMENT_PASSES_H
#define LLAMA_COMPILER_PLACEMENT_PASSES_H

#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace mlir::llama {

#define GEN_PASS_DECL
#include "compiler/Placement/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/Placement/Passes.h.inc"

} // namespace mlir::llama

#endif // LLAMA_COMPILER_PLACEMENT_PASSES_H
