//===- Passes.td - Fusions within the Llama dialect --------*- tablegen -*-===//

#ifndef LLAMA_COMPILER_TRANSFORMS_PASSES
#define LLAMA_COMPILER_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def LlamaFuseQKVPass : Pass<"llama-fuse-qkv", "::mlir::func::FuncOp"> {
  let summary = "fuse the three projections, RoPE and the cache append into one op";
  let description = [{
    Query, key and value read the same row; keys and values then leave for the
    cache without anybody else seeing them.

    @test compiler/Transforms/fuse-qkv.mlir
  }];
  let statistics = [
    Statistic<"numFused", "num-fused", "groups fused into llama.qkv_rope_append">
  ];
}

def LlamaFuseAttentionPass : Pass<"llama-fuse-attention", "::mlir::func::FuncOp"> {
  let summary = "fuse scores, mask, softmax and output into one op over pages";
  let description = [{
    The scores, `T * heads * keys` numbers, are never stored.

    @test compiler/Transforms/fuse-attention.mlir
  }];
  let statistics = [
    Statistic<"numFused", "num-fused", "groups fused into llama.fused_attention">
  ];
}

def LlamaFuseSwiGLUPass : Pass<"llama-fuse-swiglu", "::mlir::func::FuncOp"> {
  let summary = "fuse gate, up, SiLU and product into one op";
  let description = [{
    Gate and up read the same row; neither is stored.

    @test compiler/Transforms/fuse-swiglu.mlir
  }];
  let statistics = [
    Statistic<"numFused", "num-fused", "groups fused into llama.swiglu">
  ];
}

def LlamaFuseResidualPass : Pass<"llama-fuse-residual", "::mlir::func::FuncOp"> {
  let summary = "fuse a residual add into the rms_norm that reads it";
  let description = [{
    Saves one read and one write of the residual stream per layer.

    @test compiler/Transforms/fuse-residual.mlir
  }];
  let statistics = [
    Statistic<"numFused", "num-fused", "residual adds fused into a norm">
  ];
}

#endif // LLAMA_COMPILER_TRANSFORMS_PASSES
