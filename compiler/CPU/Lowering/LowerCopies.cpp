//===- LowerCopies.cpp - Turn copies between buffers into loops -----------===//
//
//   memref.copy %a, %b   =>   linalg.generic that yields its input
//
// Upstream's own lowering of a strided copy calls a library that a model does
// not have.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"

#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPULOWERCOPIESPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;

namespace {

struct CopyToGeneric : OpRewritePattern<memref::CopyOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(memref::CopyOp copy,
                                PatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(copy.getSource().getType()) ||
        !isa<MemRefType>(copy.getTarget().getType()))
      return rewriter.notifyMatchFailure(copy, "a side has no rank");
    linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(),
                             copy.getTarget());
    rewriter.eraseOp(copy);
    return success();
  }
};

struct LlamaCPULowerCopies
    : mlir::llama::impl::LlamaCPULowerCopiesPassBase<LlamaCPULowerCopies> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<CopyToGeneric>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
