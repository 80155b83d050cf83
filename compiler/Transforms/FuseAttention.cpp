//===- FuseAttention.cpp - Fuse attention into one op over pages ----------===//
//
//   %s = llama.attention_scores %q cache ...
//   %m = llama.causal_mask %s, %positions
//   %p = llama.softmax %m
//   %o = llama.attention_output %p cache ...
//                                   =>   %o = llama.fused_attention %q ...
//
// Does nothing when the parts name different caches, layers or rows, when the
// cache is written between them, or when somebody else reads the scores.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/Passes.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMAFUSEATTENTIONPASS
#include "compiler/Transforms/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

bool readSamePages(AttentionScoresOp scores, AttentionOutputOp output) {
  return scores.getCache() == output.getCache() &&
         scores.getLayer() == output.getLayer() &&
         scores.getPositions() == output.getPositions() &&
         scores.getSequences() == output.getSequences() &&
         scores.getTables() == output.getTables();
}

/// Whether an op between two of one block may write memory.
bool isMemoryWrittenBetween(Operation *first, Operation *last) {
  for (Operation *op = first->getNextNode(); op != last; op = op->getNextNode())
    if (!isMemoryEffectFree(op) && !hasSingleEffect<MemoryEffects::Read>(op))
      return true;
  return false;
}

struct FuseAttention : OpRewritePattern<AttentionOutputOp> {
  FuseAttention(MLIRContext *context, Pass::Statistic &fused)
      : OpRewritePattern(context), fused(fused) {}

  LogicalResult matchAndRewrite(AttentionOutputOp output,
                                PatternRewriter &rewriter) const override {
    auto softmax = output.getWeights().getDefiningOp<SoftmaxOp>();
    if (!softmax)
      return rewriter.notifyMatchFailure(output, "weights are not a softmax");
    auto mask = softmax.getScores().getDefiningOp<CausalMaskOp>();
    if (!mask)
      return rewriter.notifyMatchFailure(output, "the softmax is not masked");
    auto scores = mask.getScores().getDefiningOp<AttentionScoresOp>();
    if (!scores)
      return rewriter.notifyMatchFailure(output,
                                         "what is masked are not scores");
    if (!readSamePages(scores, output) ||
        mask.getPositions() != scores.getPositions())
      return rewriter.notifyMatchFailure(output,
                                         "scores and output read other pages");
    if (!softmax->hasOneUse() || !mask->hasOneUse() || !scores->hasOneUse())
      return rewriter.notifyMatchFailure(output, "a part has another reader");
    if (scores.getQuery().getType().getShape() != output.getType().getShape())
      return rewriter.notifyMatchFailure(output,
                                         "query and result differ in shape");
    if (scores->getBlock() != output->getBlock() ||
        isMemoryWrittenBetween(scores, output))
      return rewriter.notifyMatchFailure(output,
                                         "the cache may change in between");

    rewriter.replaceOpWithNewOp<FusedAttentionOp>(
        output, output.getType(), scores.getQuery(), output.getCache(),
        output.getLayer(), output.getPositions(), output.getSequences(),
        output.getTables());
    rewriter.eraseOp(softmax);
    rewriter.eraseOp(mask);
    rewriter.eraseOp(scores);
    ++fused;
    return success();
  }

  Pass::Statistic &fused;
};

struct LlamaFuseAttention
    : llama::impl::LlamaFuseAttentionPassBase<LlamaFuseAttention> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseAttention>(&getContext(), numFused);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
