//===- FuseResidual.cpp - Fold a residual add into the norm after it ------===//
//
//   %s = llama.add %stream, %branch
//   %y = llama.rms_norm %s, %w            =>   %s, %y = llama.add_rms_norm ...
//
// Does nothing when the weight of the norm is defined after the add and after
// another reader of the sum.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/Passes.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMAFUSERESIDUALPASS
#include "compiler/Transforms/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

/// Whether everything else that reads `sum` comes after `norm`.
bool isFirstReader(Value sum, RMSNormOp norm, const DominanceInfo &dominance) {
  return llvm::all_of(sum.getUsers(), [&](Operation *user) {
    return user == norm ||
           dominance.properlyDominates(norm.getOperation(), user);
  });
}

struct FuseResidualIntoRMSNorm : OpRewritePattern<RMSNormOp> {
  FuseResidualIntoRMSNorm(MLIRContext *context, Pass::Statistic &fused)
      : OpRewritePattern(context), fused(fused) {}

  LogicalResult matchAndRewrite(RMSNormOp norm,
                                PatternRewriter &rewriter) const override {
    auto add = norm.getInput().getDefiningOp<AddOp>();
    if (!add)
      return rewriter.notifyMatchFailure(norm, "input is not a residual add");
    if (add->getBlock() != norm->getBlock())
      return rewriter.notifyMatchFailure(norm, "the add is in another block");
    // The fused op stands where the norm stood, so it must define the sum in
    // time for everybody else.
    if (!isFirstReader(add.getResult(), norm, DominanceInfo()))
      return rewriter.notifyMatchFailure(norm,
                                         "the sum is read before the norm");

    auto fusedOp = AddRMSNormOp::create(
        rewriter, rewriter.getFusedLoc({add.getLoc(), norm.getLoc()}),
        add.getType(), norm.getType(), add.getStream(), add.getBranch(),
        norm.getWeight(), norm.getEpsAttr());
    rewriter.replaceOp(norm, fusedOp.getNormed());
    rewriter.replaceOp(add, fusedOp.getSum());
    ++fused;
    return success();
  }

  Pass::Statistic &fused;
};

struct LlamaFuseResidual
    : llama::impl::LlamaFuseResidualPassBase<LlamaFuseResidual> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseResidualIntoRMSNorm>(&getContext(), numFused);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
