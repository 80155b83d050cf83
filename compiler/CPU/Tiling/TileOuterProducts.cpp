//===- TileOuterProducts.cpp - Products whose sums run across rows --------===//
//
//   c[g, n] += sum over d of a[g, d] b[d, n]
//     =>  for n, as many columns as fit into registers:
//           for d:  c[g, n] += a[g, d] x b[d, n]
//
// Neighbouring columns are neighbouring lanes, so there is nothing to add up
// over lanes at the end. What is left inside has no reduction any more and
// becomes vectors like any element by element op. The sum over d may be of any
// length, known or not, and is added in its order.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "dialects/Kernel/IR/KernelDialect.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/IR/PatternMatch.h"

#include <numeric>

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUTILEOUTERPRODUCTSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

/// Loops of a product: rows g, columns n, sum d.
enum Loop : unsigned { Rows = 0, Columns = 1, Sum = 2 };

/// Whether the right side is read across the sum: [d, n], not [n, d].
bool isOuterProduct(linalg::GenericOp op) {
  if (!op || op.getNumLoops() != 3 || op.getNumDpsInputs() != 2)
    return false;
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  if (!linalg::isParallelIterator(iterators[Rows]) ||
      !linalg::isParallelIterator(iterators[Columns]) ||
      !linalg::isReductionIterator(iterators[Sum]))
    return false;
  MLIRContext *context = op.getContext();
  auto map = [&](ArrayRef<unsigned> dims) {
    return AffineMap::getMultiDimMapWithTargets(3, dims, context);
  };
  return op.getIndexingMapsArray() ==
         SmallVector<AffineMap>{map({Rows, Sum}), map({Sum, Columns}),
                                map({Rows, Columns})};
}

struct LlamaCPUTileOuterProducts
    : mlir::llama::impl::LlamaCPUTileOuterProductsPassBase<
          LlamaCPUTileOuterProducts> {
  using Base::Base;

  void runOnOperation() override {
    vectors = findVectors(getOperation());
    if (!vectors)
      return signalPassFailure();
    SmallVector<linalg::GenericOp> products;
    getOperation().walk([&](linalg::GenericOp op) {
      SmallVector<int64_t> extents = op.getStaticLoopRanges();
      if (isOuterProduct(op) && !ShapedType::isDynamic(extents[Rows]) &&
          !ShapedType::isDynamic(extents[Columns]))
        products.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : products) {
      if (failed(tile(rewriter, op))) {
        op.emitOpError("could not be tiled along its sum");
        return signalPassFailure();
      }
      ++numTiled;
    }
  }

private:
  VectorsAttr vectors;

  /// Columns whose sums, of all rows, stay in registers.
  int64_t countColumns(ArrayRef<int64_t> extents) {
    int64_t count =
        std::max<int64_t>(1, vectors.getAccumulators() / extents[Rows]);
    return std::gcd(extents[Columns],
                    vectors.getLanes() * static_cast<int64_t>(llvm::bit_floor(
                                             static_cast<uint64_t>(count))));
  }

  LogicalResult tile(IRRewriter &rewriter, linalg::GenericOp op) {
    int64_t columns = countColumns(op.getStaticLoopRanges());
    SmallVector<OpFoldResult> sizes = {rewriter.getIndexAttr(0),
                                       rewriter.getIndexAttr(columns),
                                       rewriter.getIndexAttr(1)};
    rewriter.setInsertionPoint(op);
    FailureOr<scf::SCFTilingResult> tiled =
        scf::tileUsingSCF(rewriter, cast<TilingInterface>(op.getOperation()),
                          scf::SCFTilingOptions().setTileSizes(sizes));
    if (failed(tiled))
      return failure();
    rewriter.replaceOp(op, tiled->replacements);
    auto product = cast<linalg::GenericOp>(tiled->tiledOps.front());
    return dropSum(rewriter, product);
  }

  /// A reduction of length 1 needs no accumulator.
  LogicalResult dropSum(IRRewriter &rewriter, linalg::GenericOp op) {
    linalg::ControlDropUnitDims options;
    options.rankReductionStrategy =
        linalg::ControlDropUnitDims::RankReductionStrategy::ExtractInsertSlice;
    options.controlFn = [](Operation *) { return SmallVector<unsigned>{Sum}; };
    rewriter.setInsertionPoint(op);
    FailureOr<linalg::DropUnitDimsResult> dropped =
        linalg::dropUnitDims(rewriter, op, options);
    if (failed(dropped))
      return failure();
    rewriter.replaceOp(op, dropped->replacements);
    return success();
  }
};

} // namespace
