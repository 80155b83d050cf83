//===- FuseSwiGLU.cpp - Fuse the gated half of the FFN --------------------===//
//
//   %g = llama.linear %x, %w1
//   %u = llama.linear %x, %w3
//   %a = llama.silu %g
//   %y = llama.mul %a, %u                 =>   %y = llama.swiglu %x, %w1, %w3
//
// Does nothing when gate and up read different rows, have different types, or
// when somebody else reads one of the values in between.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/Passes.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMAFUSESWIGLUPASS
#include "compiler/Transforms/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

struct FuseSwiGLU : OpRewritePattern<MulOp> {
  FuseSwiGLU(MLIRContext *context, Pass::Statistic &fused)
      : OpRewritePattern(context), fused(fused) {}

  LogicalResult matchAndRewrite(MulOp mul,
                                PatternRewriter &rewriter) const override {
    auto silu = mul.getLhs().getDefiningOp<SiluOp>();
    Value other = mul.getRhs();
    if (!silu) {
      silu = mul.getRhs().getDefiningOp<SiluOp>();
      other = mul.getLhs();
    }
    if (!silu)
      return rewriter.notifyMatchFailure(mul, "no operand is a silu");
    auto gate = silu.getInput().getDefiningOp<LinearOp>();
    auto up = other.getDefiningOp<LinearOp>();
    if (!gate || !up)
      return rewriter.notifyMatchFailure(mul, "gate or up is not a linear");
    if (gate.getInput() != up.getInput())
      return rewriter.notifyMatchFailure(mul, "gate and up read other rows");
    if (gate.getWeight().getType() != up.getWeight().getType())
      return rewriter.notifyMatchFailure(mul, "gate and up differ in type");
    if (!silu->hasOneUse() || !gate->hasOneUse() || !up->hasOneUse())
      return rewriter.notifyMatchFailure(mul, "a part has another reader");

    rewriter.replaceOpWithNewOp<SwiGLUOp>(mul, mul.getType(), gate.getInput(),
                                          gate.getWeight(), up.getWeight());
    rewriter.eraseOp(silu);
    rewriter.eraseOp(gate);
    rewriter.eraseOp(up);
    ++fused;
    return success();
  }

  Pass::Statistic &fused;
};

struct LlamaFuseSwiGLU : llama::impl::LlamaFuseSwiGLUPassBase<LlamaFuseSwiGLU> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseSwiGLU>(&getContext(), numFused);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
