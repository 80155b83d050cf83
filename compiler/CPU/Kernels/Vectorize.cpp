//===- Vectorize.cpp - Turn linalg ops of static shape into vectors -------===//
//
//   sum over k of tensor<8x2048>   =>   for k: vector<8x16> partial sums
//   element by element, 1x2048     =>   for 64 elements at a time: vector<1x64>
//
// The partial sums stay a parallel dimension until the loop ends: the loop has
// no horizontal add, and the order of the sum is the same for every row.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "dialects/Kernel/IR/KernelDialect.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <numeric>

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUVECTORIZEPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

/// Whether every operand is read along plain dimensions: what the vectorizer
/// can load.
bool isVectorizable(linalg::LinalgOp op) {
  return !op.hasDynamicShape() &&
         llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) {
           return map.isProjectedPermutation();
         });
}

struct LlamaCPUVectorize
    : mlir::llama::impl::LlamaCPUVectorizePassBase<LlamaCPUVectorize> {
  using Base::Base;

  void runOnOperation() override {
    vectors = findVectors(getOperation());
    if (!vectors || failed(foldEmptySlices()))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : collect())
      if (isVectorizable(op) && failed(tileToVectors(rewriter, op)))
        return signalPassFailure();
    if (failed(foldEmptySlices()))
      return signalPassFailure();
    for (linalg::LinalgOp op : collect())
      vectorize(rewriter, op);
  }

private:
  VectorsAttr vectors;

  SmallVector<linalg::LinalgOp> collect() {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    return ops;
  }

  LogicalResult foldEmptySlices() {
    RewritePatternSet patterns(&getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns);
    tensor::ExtractSliceOp::getCanonicalizationPatterns(patterns,
                                                        &getContext());
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  /// Cuts an op to vectors of a few registers.
  LogicalResult tileToVectors(IRRewriter &rewriter, linalg::LinalgOp op) {
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    if (extents.empty())
      return success();
    SmallVector<unsigned> reductions;
    op.getReductionDims(reductions);
    int64_t innermost = extents.back();
    int64_t rowElements = vectors.getRowElements(), lanes = vectors.getLanes();
    unsigned last = extents.size() - 1;
    SmallVector<OpFoldResult> sizes(extents.size(), rewriter.getIndexAttr(0));
    rewriter.setInsertionPoint(op);
    if (reductions.empty()) {
      // Many rows are a loop, too: written out they would be long.
      bool isTall = llvm::product_of(extents) > 4 * rowElements &&
                    innermost <= rowElements;
      if (isTall)
        std::fill(sizes.begin(), sizes.end() - 1, rewriter.getIndexAttr(1));
      else if (innermost <= rowElements)
        return success();
      else
        sizes[last] = rewriter.getIndexAttr(std::gcd(innermost, rowElements));
      FailureOr<scf::SCFTilingResult> tiled =
          scf::tileUsingSCF(rewriter, cast<TilingInterface>(op.getOperation()),
                            scf::SCFTilingOptions().setTileSizes(sizes));
      if (failed(tiled))
        return op.emitOpError("could not be cut along its rows");
      rewriter.replaceOp(op, tiled->replacements);
      return success();
    }
    if (reductions.size() != 1 || reductions[0] != last || innermost <= lanes)
      return success();
    sizes[last] = rewriter.getIndexAttr(std::gcd(innermost, lanes));
    auto partial = cast<PartialReductionOpInterface>(op.getOperation());
    FailureOr<scf::SCFTilingResult> tiled =
        scf::tileReductionUsingScf(rewriter, partial, sizes);
    if (failed(tiled))
      return op.emitOpError("could not be split into partial sums");
    rewriter.replaceOp(op, tiled->replacements);
    return success();
  }

  void vectorize(IRRewriter &rewriter, linalg::LinalgOp op) {
    if (isVectorizable(op)) {
      rewriter.setInsertionPoint(op);
      FailureOr<linalg::VectorizationResult> result =
          linalg::vectorize(rewriter, op);
      if (succeeded(result)) {
        rewriter.replaceOp(op, result->replacements);
        ++numVectorized;
        return;
      }
    }
    ++numScalar;
  }
};

} // namespace
