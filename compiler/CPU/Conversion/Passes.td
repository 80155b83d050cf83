//===- Passes.td - Out of the Llama dialect ----------------*- tablegen -*-===//

#ifndef LLAMA_COMPILER_CONVERSION_PASSES
#define LLAMA_COMPILER_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

def ConvertLlamaToLinalgPass : Pass<"convert-llama-to-linalg", "::mlir::ModuleOp"> {
  let summary = "convert llama ops to linalg on tensors";
  let description = [{
    Afterwards no op of the llama dialect is left. What is a loop over rows or
    heads by nature (lookups, the cache, attention over pages) becomes
    `scf.forall`; everything else becomes `linalg.generic`. A weight becomes a
    `memref.global` without a value.

    The four ops of attention must have been fused before: they have no lowering
    of their own, because scores are never stored.

    @test compiler/CPU/Conversion/llama-to-linalg.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"
  ];
}

#endif // LLAMA_COMPILER_CONVERSION_PASSES
