//===- TileRows.cpp - Tile row-wise ops into loops over rows --------------===//
//
//   %s = sum of squares %x               forall row
//   %y = normalize %x, %s         =>       both, on tensor<1xNxf32>
//
// Works on what llama-cpu-tile-matmuls left at the top of a function.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"

#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/TilingInterface.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUTILEROWSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;

namespace {

struct LlamaCPUTileRows
    : mlir::llama::impl::LlamaCPUTileRowsPassBase<LlamaCPUTileRows> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    while (linalg::LinalgOp consumer = findConsumer()) {
      if (failed(tile(rewriter, consumer))) {
        consumer.emitOpError("could not be tiled by rows");
        return signalPassFailure();
      }
      ++numTiled;
      eraseDeadOps();
    }
  }

  /// The last op at the top of the function that is not yet in a loop.
  linalg::LinalgOp findConsumer() {
    for (Operation &op : llvm::reverse(getOperation().getBody().front()))
      if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
        return linalgOp;
    return nullptr;
  }

  LogicalResult tile(IRRewriter &rewriter, linalg::LinalgOp consumer) {
    // Threads that share a sum would have to take turns.
    if (consumer.getNumLoops() == 0 ||
        consumer.getIteratorTypesArray()[0] != utils::IteratorType::parallel)
      return failure();
    rewriter.setInsertionPoint(consumer);
    SmallVector<OpFoldResult> sizes(consumer.getNumLoops(),
                                    rewriter.getIndexAttr(0));
    sizes[0] = rewriter.getIndexAttr(1);
    scf::SCFTilingOptions tiling;
    tiling.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    tiling.setTileSizes(sizes);
    scf::SCFTileAndFuseOptions options;
    options.setTilingOptions(tiling);
    options.setFusionControlFn(
        [](tensor::ExtractSliceOp, OpResult producer,
           bool) -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
          // A producer that others read too stays where it is as well; it is
          // computed again here, which is cheaper than storing it for them.
          if (!isa<linalg::LinalgOp>(producer.getOwner()))
            return std::nullopt;
          return scf::SCFTileAndFuseOptions::ControlFnResult{false};
        });
    FailureOr<scf::SCFTileAndFuseResult> result =
        scf::tileConsumerAndFuseProducersUsingSCF(
            rewriter, cast<TilingInterface>(consumer.getOperation()), options);
    if (failed(result))
      return failure();
    for (auto [original, replacement] : result->replacements)
      rewriter.replaceAllUsesWith(original, replacement);
    return success();
  }

  void eraseDeadOps() {
    for (Operation &op : llvm::make_early_inc_range(
             llvm::reverse(getOperation().getBody().front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }
};

} // namespace
