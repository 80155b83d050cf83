//===- FuseQKV.cpp - Fuse projections, RoPE and the cache append ----------===//
//
//   %q = llama.rope (llama.linear %x, %wq), %cos, %sin
//   %k = llama.rope (llama.linear %x, %wk), %cos, %sin
//   %v = llama.linear %x, %wv
//   llama.cache_append %k, %v cache ...   =>   %q = llama.qkv_rope_append %x
//   ...
//
// Does nothing when the three read different rows or angles, when keys or
// values have another reader, or when no query of the same rows stands in the
// block.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/Passes.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMAFUSEQKVPASS
#include "compiler/Transforms/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

/// Another rotated projection of the rows that `key` projects, or null.
RopeOp findQuery(RopeOp keyRope, LinearOp key) {
  for (Operation *user : key.getInput().getUsers()) {
    auto linear = dyn_cast<LinearOp>(user);
    if (!linear || linear == key || !linear->hasOneUse())
      continue;
    auto rope = dyn_cast<RopeOp>(*linear->user_begin());
    if (rope && rope->getBlock() == keyRope->getBlock() &&
        rope.getCosine() == keyRope.getCosine() &&
        rope.getSine() == keyRope.getSine())
      return rope;
  }
  return nullptr;
}

/// Whether all readers of `query` come after `append`.
bool isReadOnlyAfter(Value query, Operation *append) {
  DominanceInfo dominance;
  return llvm::all_of(query.getUsers(), [&](Operation *user) {
    return dominance.properlyDominates(append, user);
  });
}

/// Whether the rotated query has heads as wide as the cache's, and a whole
/// number of them per KV head.
bool fitsCache(RopeOp query, CacheAppendOp append) {
  CacheShape cache(append.getCache().getType());
  return query.getCosine().getType().getDimSize(1) * 2 == cache.headDim &&
         query.getType().getDimSize(1) % (cache.kvHeads * cache.headDim) == 0;
}

struct FuseQKV : OpRewritePattern<CacheAppendOp> {
  FuseQKV(MLIRContext *context, Pass::Statistic &fused)
      : OpRewritePattern(context), fused(fused) {}

  LogicalResult matchAndRewrite(CacheAppendOp append,
                                PatternRewriter &rewriter) const override {
    auto keyRope = append.getKeys().getDefiningOp<RopeOp>();
    auto value = append.getValues().getDefiningOp<LinearOp>();
    if (!keyRope || !value)
      return rewriter.notifyMatchFailure(append, "keys are not rotated or "
                                                 "values not projected");
    auto key = keyRope.getInput().getDefiningOp<LinearOp>();
    if (!key || key.getInput() != value.getInput())
      return rewriter.notifyMatchFailure(append, "keys and values project "
                                                 "different rows");
    if (!keyRope->hasOneUse() || !key->hasOneUse() || !value->hasOneUse())
      return rewriter.notifyMatchFailure(append, "keys or values have another "
                                                 "reader");
    RopeOp queryRope = findQuery(keyRope, key);
    if (!queryRope)
      return rewriter.notifyMatchFailure(append, "no query of the same rows");
    if (!isReadOnlyAfter(queryRope.getResult(), append))
      return rewriter.notifyMatchFailure(append, "the query is read too early");
    auto query = queryRope.getInput().getDefiningOp<LinearOp>();
    if (!DominanceInfo().properlyDominates(query.getWeight(), append))
      return rewriter.notifyMatchFailure(append,
                                         "the query's weight is defined "
                                         "after the append");
    if (!fitsCache(queryRope, append))
      return rewriter.notifyMatchFailure(append,
                                         "the query's heads are not the "
                                         "cache's");

    auto fusedOp = QKVRopeAppendOp::create(
        rewriter, append.getLoc(), queryRope.getType(), key.getInput(),
        query.getWeight(), key.getWeight(), value.getWeight(),
        keyRope.getCosine(), keyRope.getSine(), append.getCache(),
        append.getLayer(), append.getPositions(), append.getSequences(),
        append.getTables());
    rewriter.replaceOp(queryRope, fusedOp.getQuery());
    rewriter.eraseOp(append);
    for (Operation *op : {query.getOperation(), keyRope.getOperation(),
                          key.getOperation(), value.getOperation()})
      rewriter.eraseOp(op);
    ++fused;
    return success();
  }

  Pass::Statistic &fused;
};

struct LlamaFuseQKV : llama::impl::LlamaFuseQKVPassBase<LlamaFuseQKV> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseQKV>(&getContext(), numFused);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
