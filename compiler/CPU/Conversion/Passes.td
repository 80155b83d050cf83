//===- Passes.td - Out of the Llama dialect ----------------*- tablegen -*-===//

#ifndef LLAMA_COMPILER_CONVERSION_PASSES
#define LLAMA_COMPILER_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

def ConvertLlamaToLinalgPass : Pass<"convert-llama-to-linalg", "::mlir::ModuleOp"> {
  let summary = "convert llama ops to linalg on tensors";
  let description = [{
    Afterwards no op of the llama dialect is left but the declarations of weights,
    which say how each is stored. A product with a matrix becomes `kernel.matmul`,
    what is a loop over rows or heads by nature (lookups, the cache, attention over
    pages) `scf.forall`, and everything else `linalg.generic`.

    The four ops of attention must have been fused before: they have no lowering
    of their own, because scores are never stored.

    @test compiler/CPU/Conversion/llama-to-linalg.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::llama::KernelDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"
  ];
}

#endif // LLAMA_COMPILER_CONVERSION_PASSES
