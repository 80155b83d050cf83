//===- TileLinears.cpp - Tile matrix products -----------------------------===//
//
//   %y = product %x, %w : tensor<?xNxf32>
//
//   =>  for rows in passes
//         forall panels of weight rows
//           for blocks of rows:  tensor<4x4xf32> products, side by side
//           for single rows:     tensor<1x8xf32> products
//
// Ops that read the product element by element join it. The number of rows is
// dynamic; the innermost tiles are static, which is what vectors need.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/VectorizeQuantizedAMX.h"
#include "compiler/CPU/Passes.h"
#include "compiler/CPU/Schedule/KernelRemarks.h"
#include "compiler/CPU/Tiling/TileForAMX.h"
#include "compiler/Placement/Arguments.h"
#include "dialects/Llama/IR/LlamaAttributes.h"
#include "dialects/Llama/IR/LlamaTypes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/TilingInterface.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUTILELINEARSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;
using Arg = remark::detail::Remark::Arg;

namespace {

/// A product of dynamic rows with a matrix: two parallel loops and a sum.
bool isLinear(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getNumParallelLoops() == 2 &&
         generic.getNumReductionLoops() == 1 && generic.getNumDpsInits() == 1 &&
         (generic.getNumDpsInputs() == 2 || generic->hasAttr(kQuantizedAttr)) &&
         cast<ShapedType>(generic.getDpsInits()[0].getType()).isDynamicDim(0);
}

bool isElementwise(linalg::GenericOp op) {
  return op.getNumDpsInits() == 1 && op.getNumReductionLoops() == 0 &&
         op.getNumParallelLoops() == 2 &&
         llvm::all_of(op.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isIdentity(); });
}

/// The op that the tiles are cut from: the elementwise op that alone reads the
/// product, else the product.
linalg::GenericOp findRoot(linalg::GenericOp product) {
  Value result = product.getResult(0);
  if (!result.hasOneUse())
    return product;
  auto reader = dyn_cast<linalg::GenericOp>(*result.user_begin());
  if (!reader || reader->getBlock() != product->getBlock() ||
      !isElementwise(reader) ||
      llvm::is_contained(reader.getDpsInits(), result))
    return product;
  return reader;
}

/// Whether the product, or one that `root` reads, is of a quantized matrix.
bool isQuantized(linalg::GenericOp root) {
  return llvm::any_of(findProducts(root), [](linalg::GenericOp product) {
    return product->hasAttr(kQuantizedAttr);
  });
}

struct TileSizes {
  int64_t rowsPerPass, panelColumns;
  SmallVector<int64_t> blockRows; ///< tallest first; then single rows
  int64_t blockColumns;
};

class LinearTiler {
public:
  LinearTiler(IRRewriter &rewriter, linalg::GenericOp root,
              const TileSizes &sizes)
      : b(root.getLoc(), rewriter), root(root), sizes(sizes),
        columns(
            cast<ShapedType>(root.getDpsInits()[0].getType()).getDimSize(1)) {
    // Two panels at least: a parallel loop of one step would be folded away,
    // and every thread would do its work.
    int64_t half = std::max<int64_t>(1, columns / 2);
    // None may cross a panel of a quantized matrix, whose rows are a power of
    // two.
    if (isQuantized(root))
      half = llvm::bit_floor(static_cast<uint64_t>(half));
    this->sizes.panelColumns = std::min(sizes.panelColumns, half);
  }

  /// Computes the rows from `first` on into `init`.
  FailureOr<Value> tile(Value init, Value rows, Value first);

private:
  Value tilePass(Value whole, Value first, OpFoldResult rows);
  Value tilePanels(Value pass, Value first, OpFoldResult rows);
  Value tileAnyPanel(Value panel, Value first, OpFoldResult rows, Value column);
  Value tilePanel(Value panel, Value firstRow, OpFoldResult rows,
                  Value firstColumn, int64_t width);
  /// A loop over rows of the panel; each step computes `height` rows in tiles
  /// of `width` columns.
  Value tileRows(Value panel, Value firstRow, Value begin, Value end,
                 int64_t height, Value firstColumn, int64_t panelWidth,
                 int64_t width);
  /// The same without a loop: `height` rows from `begin` on, if it is not
  /// `end`.
  Value tileFirstRows(Value panel, Value firstRow, Value begin, Value end,
                      int64_t height, Value firstColumn, int64_t panelWidth,
                      int64_t width);
  Value computeRows(Value panel, Value firstRow, Value panelRow, int64_t height,
                    Value firstColumn, int64_t panelWidth, int64_t width);
  Value computeTile(Value panel, Value panelRow, Value row, Value column,
                    int64_t columnInPanel, int64_t height, int64_t width);
  void fuseProducers(Operation *tiled, Value into);
  Value sliceOf(Value source, ArrayRef<OpFoldResult> offsets,
                ArrayRef<OpFoldResult> extents);
  OpFoldResult apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineApply(b, b.getLoc(), expr, operands);
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value toValue(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, b.getLoc(), value);
  }

  ImplicitLocOpBuilder b;
  linalg::GenericOp root;
  TileSizes sizes;
  int64_t columns;
  bool failedToTile = false;
};

} // namespace

Value LinearTiler::sliceOf(Value source, ArrayRef<OpFoldResult> offsets,
                           ArrayRef<OpFoldResult> extents) {
  SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, source, offsets, extents, strides);
}

/// Replaces the slices that `tiled` reads of products and fills by tiles of
/// those, and what is not yet computed of `tiled`'s result by `into`.
void LinearTiler::fuseProducers(Operation *tiled, Value into) {
  SmallVector<Operation *> worklist = {tiled};
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    for (OpOperand &operand : op->getOpOperands()) {
      auto slice = operand.get().getDefiningOp<tensor::ExtractSliceOp>();
      if (!slice)
        continue;
      auto producer = dyn_cast<OpResult>(slice.getSource());
      if (!producer)
        continue;
      if (isa<tensor::EmptyOp>(producer.getOwner())) {
        // The place of a result that nobody reads before it is written.
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(slice);
        bool isResult = op == tiled || (isa<linalg::FillOp>(op) &&
                                        root.getNumReductionLoops() == 1);
        operand.set(isResult ? into
                             : tensor::EmptyOp::create(
                                   b, slice.getType().getShape(),
                                   slice.getType().getElementType()));
        continue;
      }
      if (!isLinear(producer.getOwner()) &&
          !isa<linalg::FillOp>(producer.getOwner()))
        continue;
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(slice);
      FailureOr<TilingResult> fused =
          tensor::replaceExtractSliceWithTiledProducer(b, slice, producer);
      if (failed(fused)) {
        failedToTile = true;
        return;
      }
      operand.set(fused->tiledValues[0]);
      llvm::append_range(worklist, fused->tiledOps);
    }
  }
}

Value LinearTiler::computeTile(Value panel, Value panelRow, Value row,
                               Value column, int64_t columnInPanel,
                               int64_t height, int64_t width) {
  OpFoldResult at = apply(b.getAffineDimExpr(0) + columnInPanel, {column});
  SmallVector<OpFoldResult> extents = {b.getIndexAttr(height),
                                       b.getIndexAttr(width)};
  // A root that is the product itself has the sum as its third loop.
  SmallVector<OpFoldResult> loopOffsets = {row, at};
  SmallVector<OpFoldResult> loopExtents = extents;
  if (root.getNumReductionLoops() == 1) {
    loopOffsets.push_back(b.getIndexAttr(0));
    loopExtents.push_back(b.getIndexAttr(root.getStaticLoopRanges().back()));
  }
  SmallVector<OpFoldResult> place = {panelRow, b.getIndexAttr(columnInPanel)};
  Value into = sliceOf(panel, place, extents);
  FailureOr<TilingResult> tiled =
      cast<TilingInterface>(root.getOperation())
          .getTiledImplementation(b, loopOffsets, loopExtents);
  if (failed(tiled)) {
    failedToTile = true;
    return panel;
  }
  auto op = cast<linalg::GenericOp>(tiled->tiledOps[0]);
  OpOperand *init = op.getDpsInitOperand(0);
  auto initSlice = init->get().getDefiningOp<tensor::ExtractSliceOp>();
  if (!initSlice || !initSlice.getSource().getDefiningOp<linalg::FillOp>())
    init->set(into);
  fuseProducers(op, into);
  b.setInsertionPointAfter(op);
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, op.getResult(0), panel, place,
                                       extents, strides);
}

Value LinearTiler::tileRows(Value panel, Value firstRow, Value begin, Value end,
                            int64_t height, Value firstColumn,
                            int64_t panelWidth, int64_t width) {
  auto loop = scf::ForOp::create(b, begin, end, index(height), panel);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value result =
      computeRows(loop.getRegionIterArg(0), firstRow, loop.getInductionVar(),
                  height, firstColumn, panelWidth, width);
  scf::YieldOp::create(b, result);
  return loop.getResult(0);
}

Value LinearTiler::tileFirstRows(Value panel, Value firstRow, Value begin,
                                 Value end, int64_t height, Value firstColumn,
                                 int64_t panelWidth, int64_t width) {
  Value isAny = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, begin, end);
  auto choice =
      scf::IfOp::create(b, panel.getType(), isAny, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  Value result = computeRows(panel, firstRow, begin, height, firstColumn,
                             panelWidth, width);
  scf::YieldOp::create(b, result);
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, panel);
  return choice.getResult(0);
}

Value LinearTiler::computeRows(Value panel, Value firstRow, Value panelRow,
                               int64_t height, Value firstColumn,
                               int64_t panelWidth, int64_t width) {
  Value row = toValue(apply(b.getAffineDimExpr(0) + b.getAffineDimExpr(1),
                            {firstRow, panelRow}));
  Block *block = b.getInsertionBlock();
  for (int64_t column = 0; column < panelWidth; column += width) {
    panel = computeTile(panel, panelRow, row, firstColumn, column, height,
                        std::min(width, panelWidth - column));
    b.setInsertionPointToEnd(block);
  }
  return panel;
}

Value LinearTiler::tilePanel(Value panel, Value firstRow, OpFoldResult rows,
                             Value firstColumn, int64_t width) {
  AffineExpr count = b.getAffineDimExpr(0);
  Value begin = index(0);
  for (int64_t height : sizes.blockRows) {
    // AMX tiles take whole panels of the matrix.
    if (height >= kAMXRows && width % QuantizedType::getPanelRows() != 0)
      continue;
    Value end = toValue(apply(count.floorDiv(height) * height, {rows}));
    // The first block alone meets weights that are not in the cache yet: what
    // is done about that (llama-cpu-prefetch) must not slow down the others.
    if (height == sizes.blockRows.back()) {
      panel = tileFirstRows(panel, firstRow, begin, end, height, firstColumn,
                            width, sizes.blockColumns);
      begin = toValue(apply(b.getAffineDimExpr(0) + height, {begin}));
    }
    panel = tileRows(panel, firstRow, begin, end, height, firstColumn, width,
                     sizes.blockColumns);
    begin = end;
  }
  return tileRows(panel, firstRow, begin, toValue(rows), 1, firstColumn, width,
                  width);
}

/// One panel, `width` columns wide, or as wide as what is left of the last one.
Value LinearTiler::tileAnyPanel(Value panel, Value first, OpFoldResult rows,
                                Value column) {
  int64_t rest = columns % sizes.panelColumns;
  if (rest == 0)
    return tilePanel(panel, first, rows, column, sizes.panelColumns);
  Value isWhole = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, column,
                                        index(columns - rest));
  auto choice = scf::IfOp::create(b, panel.getType(), isWhole,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(
      b, tilePanel(panel, first, rows, column, sizes.panelColumns));
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, tilePanel(panel, first, rows, column, rest));
  return choice.getResult(0);
}

Value LinearTiler::tilePanels(Value pass, Value first, OpFoldResult rows) {
  auto loop = scf::ForallOp::create(
      b, ArrayRef<OpFoldResult>{b.getIndexAttr(0)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(columns)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(sizes.panelColumns)}, pass,
      /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value column = loop.getInductionVar(0);
  Value shared = loop.getRegionIterArgs()[0];
  OpFoldResult width = b.getIndexAttr(sizes.panelColumns);
  if (columns % sizes.panelColumns != 0)
    width = affine::makeComposedFoldedAffineMin(
        b, b.getLoc(),
        AffineMap::get(1, 0,
                       {b.getAffineConstantExpr(sizes.panelColumns),
                        columns - b.getAffineDimExpr(0)},
                       b.getContext()),
        {column});
  SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), column};
  SmallVector<OpFoldResult> extents = {rows, width};
  Value panel = sliceOf(shared, offsets, extents);
  Value result = tileAnyPanel(panel, first, rows, column);
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  b.setInsertionPointToStart(loop.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, result, shared, offsets, extents,
                                        strides);
  return loop.getResult(0);
}

Value LinearTiler::tilePass(Value whole, Value first, OpFoldResult rows) {
  SmallVector<OpFoldResult> offsets = {first, b.getIndexAttr(0)};
  SmallVector<OpFoldResult> extents = {rows, b.getIndexAttr(columns)};
  Value pass = tilePanels(sliceOf(whole, offsets, extents), first, rows);
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, pass, whole, offsets, extents,
                                       strides);
}

FailureOr<Value> LinearTiler::tile(Value init, Value rows, Value begin) {
  auto passes =
      scf::ForOp::create(b, begin, rows, index(sizes.rowsPerPass), init);
  b.setInsertionPointToStart(passes.getBody());
  Value first = passes.getInductionVar();
  OpFoldResult count = affine::makeComposedFoldedAffineMin(
      b, b.getLoc(),
      AffineMap::get(2, 0,
                     {b.getAffineConstantExpr(sizes.rowsPerPass),
                      b.getAffineDimExpr(0) - b.getAffineDimExpr(1)},
                     b.getContext()),
      {rows, first});
  Value result = tilePass(passes.getRegionIterArg(0), first, count);
  scf::YieldOp::create(b, result);
  if (failedToTile)
    return root.emitOpError("could not be tiled");
  for (linalg::GenericOp product : findProducts(root))
    remarkAnalysis(product, "panels") << Arg("RowsPerPass", sizes.rowsPerPass)
                                      << Arg("Panel", sizes.panelColumns);
  return passes.getResult(0);
}

/// Which rows the first dimension of `value` counts: kExtentAttr of the
/// argument that it comes from, or empty.
static StringRef findRowKind(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto empty = dyn_cast<tensor::EmptyOp>(op))
      value =
          empty.getType().isDynamicDim(0) ? empty.getDynamicSize(0) : Value();
    else if (auto dim = dyn_cast<tensor::DimOp>(op);
             dim && dim.getConstantIndex() == 0)
      value = dim.getSource();
    else if (auto style = dyn_cast<DestinationStyleOpInterface>(op))
      value = style.getDpsInits()[0];
    else if (auto forall = dyn_cast<scf::ForallOp>(op))
      value = forall.getOutputs()[0];
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      value = loop.getInitArgs()[0];
    else if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      value = op->getOperand(0);
    else
      return "";
    if (!value)
      return "";
  }
  return getExtentKind(cast<BlockArgument>(value));
}

namespace {

struct LlamaCPUTileLinears
    : mlir::llama::impl::LlamaCPUTileLinearsPassBase<LlamaCPUTileLinears> {
  using Base::Base;

  void runOnOperation() override {
    if (amx)
      appendArgument(getOperation(), "prompt_rows",
                     IndexType::get(&getContext()));
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(tile(function)))
        return signalPassFailure();
  }

private:
  LogicalResult tile(func::FuncOp function) {
    // A root may join two products (gate and up): each root once.
    llvm::SetVector<Operation *> roots;
    for (Operation &op : function.getBody().getOps())
      if (auto product = dyn_cast<linalg::GenericOp>(op);
          product && isLinear(product)) {
        locateProduct(product);
        roots.insert(findRoot(product));
        ++numTiled;
      }
    IRRewriter rewriter(&getContext());
    for (Operation *op : roots) {
      auto root = cast<linalg::GenericOp>(op);
      FailureOr<Value> tiled = tileRoot(rewriter, root);
      if (failed(tiled))
        return failure();
      rewriter.replaceOp(root, *tiled);
    }
    eraseDeadOps(function);
    return success();
  }

  std::string findAMXObstacle(linalg::GenericOp root,
                              ArrayRef<linalg::GenericOp> products,
                              StringRef rows) {
    if (!amx && !amxInt8)
      return "the target has none";
    if (isQuantized(root))
      return amxInt8 ? findAMXInt8Obstacle(products)
                     : "the target has none of integers";
    if (!amx)
      return "the target has none of bf16";
    // Logits are few rows, each of another sequence.
    if (rows != "rows")
      return "its rows are single ones of many sequences";
    return llama::findAMXObstacle(products);
  }

  FailureOr<Value> tileRoot(IRRewriter &rewriter, linalg::GenericOp root) {
    rewriter.setInsertionPoint(root);
    ImplicitLocOpBuilder b(root.getLoc(), rewriter);
    Value init = root.getDpsInits()[0];
    if (auto fill = init.getDefiningOp<linalg::FillOp>())
      init = fill.getDpsInits()[0];
    Value rows = tensor::DimOp::create(b, init, 0);
    Value first = arith::ConstantIndexOp::create(b, 0);
    SmallVector<linalg::GenericOp> products = findProducts(root);
    StringRef kind = findRowKind(init);
    for (linalg::GenericOp product : products)
      remarkProduct(product, kind);
    std::string obstacle = findAMXObstacle(root, products, kind);
    for (linalg::GenericOp product : products)
      if (!obstacle.empty())
        remarkMissed(product, "amx", obstacle);
    if (obstacle.empty())
      numOnAMX += products.size();
    if (obstacle.empty() && !isQuantized(root)) {
      first =
          findArgument(root->getParentOfType<func::FuncOp>(), "prompt_rows");
      FailureOr<Value> prompt =
          tileForAMX(rewriter, root, init, first,
                     {amxRowsPerPass, amxPanelColumns, amxDepth});
      if (failed(prompt))
        return failure();
      init = *prompt;
    }
    TileSizes sizes{rowsPerPass, panelColumns, {blockRows}, blockColumns};
    if (isQuantized(root)) {
      sizes = {
          rowsPerPass, quantizedColumns, {quantizedRows}, quantizedColumns};
      if (obstacle.empty())
        sizes.blockRows = {2 * kAMXRows, kAMXRows, quantizedRows};
    }
    return LinearTiler(rewriter, root, sizes).tile(init, rows, first);
  }

  /// The products and fills whose tiles have replaced them.
  static void eraseDeadOps(func::FuncOp function) {
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }
};

} // namespace
