//===- Passes.h - Fusions within the Llama dialect --------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_TRANSFORMS_PASSES_H
#define LLAMA_COMPILER_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::llama {

#define GEN_PASS_DECL
#include "compiler/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/Transforms/Passes.h.inc"

} // namespace mlir::llama

#endif // LLAMA_COMPILER_TRANSFORMS_PASSES_H
