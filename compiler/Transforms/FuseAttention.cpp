//===- FuseAttention.cpp - Fuse attention into one op over pages ----------===//
//
//   %s = llama.attention_scores %q cache ...
//   %m = llama.causal_mask %s, %positions
//   %p = llama.softmax %m
//   %o = llama.attention_mix %p cache ... =>   %o = llama.fused_attention %q
//   ...
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

bool readSamePages(AttentionScoresOp scores, AttentionMixOp mix) {
  return scores.getCache() == mix.getCache() &&
         scores.getLayer() == mix.getLayer() &&
         scores.getPositions() == mix.getPositions() &&
         scores.getSequences() == mix.getSequences() &&
         scores.getTables() == mix.getTables();
}

/// Whether an op between two of one block may write memory.
bool isMemoryWrittenBetween(Operation *first, Operation *last) {
  for (Operation *op = first->getNextNode(); op != last; op = op->getNextNode())
    if (!isMemoryEffectFree(op) && !hasSingleEffect<MemoryEffects::Read>(op))
      return true;
  return false;
}

struct FuseAttention : OpRewritePattern<AttentionMixOp> {
  FuseAttention(MLIRContext *context, Pass::Statistic &fused)
      : OpRewritePattern(context), fused(fused) {}

  LogicalResult matchAndRewrite(AttentionMixOp mix,
                                PatternRewriter &rewriter) const override {
    auto softmax = mix.getWeights().getDefiningOp<SoftmaxOp>();
    if (!softmax)
      return rewriter.notifyMatchFailure(mix, "weights are not a softmax");
    auto mask = softmax.getScores().getDefiningOp<CausalMaskOp>();
    if (!mask)
      return rewriter.notifyMatchFailure(mix, "the softmax is not masked");
    auto scores = mask.getScores().getDefiningOp<AttentionScoresOp>();
    if (!scores)
      return rewriter.notifyMatchFailure(mix, "what is masked are not scores");
    if (!readSamePages(scores, mix) ||
        mask.getPositions() != scores.getPositions())
      return rewriter.notifyMatchFailure(mix,
                                         "scores and mix read other pages");
    if (!softmax->hasOneUse() || !mask->hasOneUse() || !scores->hasOneUse())
      return rewriter.notifyMatchFailure(mix, "a part has another reader");
    if (scores.getQuery().getType().getShape() != mix.getType().getShape())
      return rewriter.notifyMatchFailure(mix,
                                         "query and result differ in shape");
    if (scores->getBlock() != mix->getBlock() ||
        isMemoryWrittenBetween(scores, mix))
      return rewriter.notifyMatchFailure(mix,
                                         "the cache may change in between");

    rewriter.replaceOpWithNewOp<FusedAttentionOp>(
        mix, mix.getType(), scores.getQuery(), mix.getCache(), mix.getLayer(),
        mix.getPositions(), mix.getSequences(), mix.getTables());
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
