//===- TileMatmuls.cpp - Tile matrix products as their schedules say ------===//
//
//   %y = kernel.matmul schedule <rows = mc x nc [mr x nr, 1 x nr]>
//
//   =>  forall blocks of mc rows, blocks of nc matrix rows
//         for mr rows:     kernel.matmul tile <mr x nr>, side by side
//         for single rows: kernel.matmul tile <1 x nr>
//
// An epilogue, the op that reads the product element by element, joins it. Loops
// over rows of prompts of several products follow each other if they can. The
// number of rows is dynamic; the innermost tiles are static, which is what
// vectors need.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "dialects/Kernel/IR/KernelOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUTILEMATMULSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

//===----------------------------------------------------------------------===//
// What is tiled together
//===----------------------------------------------------------------------===//

static bool isElementwise(linalg::GenericOp op) {
  return op.getNumDpsInits() == 1 && op.getNumReductionLoops() == 0 &&
         op.getNumParallelLoops() == 2 &&
         llvm::all_of(op.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isIdentity(); });
}

/// Whether `op` needs what a loop or an op like a loop computes at or after
/// `place`, an op of its block.
static bool needsLoopFrom(Operation *place, Operation *op) {
  llvm::SetVector<Operation *> needed;
  needed.insert(op);
  for (size_t i = 0; i < needed.size(); ++i) {
    bool isLoop = false;
    needed[i]->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *source = operand.getDefiningOp();
        Operation *around =
            source ? place->getBlock()->findAncestorOpInBlock(*source)
                   : nullptr;
        if (!around || around == needed[i] || around->isBeforeInBlock(place))
          continue;
        isLoop |= around->getNumRegions() > 0;
        needed.insert(around);
      }
    });
    if (isLoop)
      return true;
  }
  return false;
}

/// The products that `root` reads or is.
static SmallVector<MatmulOp> findProducts(Operation *root) {
  if (auto product = dyn_cast<MatmulOp>(root))
    return {product};
  SmallVector<MatmulOp> products;
  for (Value input : cast<linalg::GenericOp>(root).getDpsInputs())
    if (auto product = input.getDefiningOp<MatmulOp>())
      products.push_back(product);
  return products;
}

/// Whether loops of the same sizes serve both; instructions may differ.
static bool haveSameLoops(NestAttr a, NestAttr b) {
  if (!a || !b)
    return !a && !b;
  return a.getMc() == b.getMc() && a.getNc() == b.getNc() &&
         llvm::equal(a.getTiles(), b.getTiles(), [](TileAttr x, TileAttr y) {
           return x.getRows() == y.getRows() &&
                  x.getColumns() == y.getColumns();
         });
}

/// The op that the tiles are cut from: the epilogue that alone reads the
/// product, else the product.
static Operation *findRoot(MatmulOp product) {
  Value result = product.getResult();
  if (!result.hasOneUse())
    return product;
  auto reader = dyn_cast<linalg::GenericOp>(*result.user_begin());
  if (!reader || reader->getBlock() != product->getBlock() ||
      !isElementwise(reader) ||
      llvm::is_contained(reader.getDpsInits(), result))
    return product;
  bool isJoint = llvm::all_of(findProducts(reader), [&](MatmulOp other) {
    return other.getResult().hasOneUse() &&
           haveSameLoops(other.getSchedule()->getRows(),
                         product.getSchedule()->getRows()) &&
           haveSameLoops(other.getSchedule()->getPrefill(),
                         product.getSchedule()->getPrefill());
  });
  return isJoint ? reader.getOperation() : product.getOperation();
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

namespace {

/// One nest of a root.
class MatmulTiler {
public:
  MatmulTiler(IRRewriter &rewriter, Operation *root, bool isPrefill)
      : b(root->getLoc(), rewriter), root(root), isPrefill(isPrefill),
        nest(getNest(findProducts(root).front())),
        columns(findProducts(root).front().getColumnCount()) {}

  /// Computes rows `firstRow` to `endRow` into `init`.
  FailureOr<Value> tile(Value init, Value firstRow, Value endRow);

private:
  NestAttr getNest(MatmulOp product) const {
    ScheduleAttr schedule = *product.getSchedule();
    return isPrefill ? schedule.getPrefill() : schedule.getRows();
  }

  Value tileAnyWidth(Value part, Value first, OpFoldResult rows, Value column);
  Value tilePart(Value part, Value first, OpFoldResult rows, Value column,
                 int64_t width);
  /// Tiles side by side that are computed for the same rows.
  struct Tiles {
    size_t number; ///< of the nest's tiles
    bool isFirst;  ///< of a part: asks for the panels of the next one
    Value column;  ///< where they begin
    int64_t width; ///< of all of them
  };
  /// Rows `begin` to `end` of the part; if they are first, the first tiles only.
  Value tileRows(Value part, Value first, Value begin, Value end,
                 const Tiles &of);
  /// `height` rows from `partRow` on.
  Value tileRow(Value part, Value first, Value partRow, OpFoldResult height,
                const Tiles &of);
  /// All rows of the part, one block of tile registers after the other.
  Value tileBlocks(Value part, Value first, OpFoldResult rows, const Tiles &of);
  Value tileIfAny(Value part, Value begin, Value end,
                  function_ref<Value()> body);
  /// Where a tile is, of rows of activations by rows of the matrix.
  struct Tile {
    size_t number; ///< of the nest's tiles
    bool isFirst;  ///< asks for the panels of the next part
    SmallVector<OpFoldResult> place, offsets; ///< in the part; in the product
    SmallVector<OpFoldResult> extents;
  };
  Value computeTile(Value part, const Tile &at);
  Value computeProduct(MatmulOp product, Value into, const Tile &at);
  Value makePlace(const Tile &at);
  Value finishRow(Value part, const Tile &at, ValueRange sums,
                  OpFoldResult row);

  Value slice(Value source, ArrayRef<OpFoldResult> offsets,
              ArrayRef<OpFoldResult> extents) {
    SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(b, source, offsets, extents, strides);
  }
  Value insert(Value tile, Value into, ArrayRef<OpFoldResult> offsets,
               ArrayRef<OpFoldResult> extents) {
    SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
    return tensor::InsertSliceOp::create(b, tile, into, offsets, extents,
                                         strides);
  }
  OpFoldResult apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineApply(b, b.getLoc(), expr, operands);
  }
  OpFoldResult least(ArrayRef<AffineExpr> results,
                     ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineMin(
        b, b.getLoc(),
        AffineMap::get(operands.size(), 0, results, b.getContext()), operands);
  }
  AffineExpr dim(unsigned i) { return b.getAffineDimExpr(i); }
  AffineExpr number(int64_t value) { return b.getAffineConstantExpr(value); }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value toValue(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, b.getLoc(), value);
  }
  /// `then` if the condition holds, else `otherwise`; both return a `type`.
  Value choose(Value condition, Type type, function_ref<Value()> then,
               function_ref<Value()> otherwise);

  ImplicitLocOpBuilder b;
  Operation *root;
  bool isPrefill;
  NestAttr nest;
  int64_t columns;
  bool failedToTile = false;
};

} // namespace

Value MatmulTiler::choose(Value condition, Type type,
                          function_ref<Value()> then,
                          function_ref<Value()> otherwise) {
  auto choice = scf::IfOp::create(b, type, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, then());
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, otherwise());
  return choice.getResult(0);
}

/// Computes a tile of a product into `into`.
Value MatmulTiler::computeProduct(MatmulOp product, Value into,
                                  const Tile &at) {
  FailureOr<TilingResult> tiled =
      product.getTiledImplementation(b, at.offsets, at.extents);
  auto op = cast<MatmulOp>(tiled->tiledOps[0]);
  op.getInitMutable().set(into);
  op->getResult(0).setType(cast<RankedTensorType>(into.getType()));
  op.setTileAttr(getNest(product).getTiles()[at.number]);
  op.removeScheduleAttr();
  if (at.isFirst)
    op.setPrefetchAttr(b.getI64IntegerAttr(nest.getNc()));
  return op.getResult();
}

/// The place of a product that an epilogue reads: static, for it is on a
/// thread's stack.
Value MatmulTiler::makePlace(const Tile &at) {
  int64_t width = *getConstantIntValue(at.extents[1]);
  if (std::optional<int64_t> height = getConstantIntValue(at.extents[0]))
    return tensor::EmptyOp::create(b, ArrayRef<int64_t>{*height, width},
                                   b.getF32Type());
  // A slice of tensor.empty would become one of its own, of unknown size.
  Value place = bufferization::AllocTensorOp::create(
      b,
      RankedTensorType::get({nest.getTiles()[at.number].getRows(), width},
                            b.getF32Type()),
      ValueRange{});
  return slice(place, {b.getIndexAttr(0), b.getIndexAttr(0)}, at.extents);
}

/// One row of the epilogue, number `row` of a tile whose products are `sums`,
/// into the part.
Value MatmulTiler::finishRow(Value part, const Tile &at, ValueRange sums,
                             OpFoldResult row) {
  auto epilogue = cast<linalg::GenericOp>(root);
  OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
  SmallVector<OpFoldResult> extents = {one, at.extents[1]};
  SmallVector<OpFoldResult> place = {apply(dim(0) + dim(1), {at.place[0], row}),
                                     at.place[1]};
  SmallVector<OpFoldResult> offsets = {
      apply(dim(0) + dim(1), {at.offsets[0], row}), at.offsets[1]};
  Value into = slice(part, place, extents);
  FailureOr<TilingResult> tiled =
      cast<TilingInterface>(root).getTiledImplementation(b, offsets, extents);
  if (failed(tiled)) {
    failedToTile = true;
    return part;
  }
  auto op = cast<linalg::GenericOp>(tiled->tiledOps[0]);
  b.setInsertionPoint(op);
  for (auto [product, sum] : llvm::zip_equal(findProducts(root), sums))
    for (auto [i, input] : llvm::enumerate(epilogue.getDpsInputs()))
      if (input == product.getResult())
        op.getDpsInputOperand(i)->set(slice(sum, {row, zero}, extents));
  // An epilogue may read what is in its place (a residual stream): the part is
  // what became of that.
  op.getDpsInitOperand(0)->set(into);
  op->getResult(0).setType(into.getType());
  b.setInsertionPointAfter(op);
  return insert(op.getResult(0), part, place, extents);
}

Value MatmulTiler::computeTile(Value part, const Tile &at) {
  SmallVector<MatmulOp> products = findProducts(root);
  if (isa<MatmulOp>(root)) {
    Value result =
        computeProduct(products[0], slice(part, at.place, at.extents), at);
    return insert(result, part, at.place, at.extents);
  }
  SmallVector<Value> sums;
  for (MatmulOp product : products)
    sums.push_back(computeProduct(product, makePlace(at), at));
  OpFoldResult height = at.extents[0];
  if (getConstantIntValue(height) == 1)
    return finishRow(part, at, sums, b.getIndexAttr(0));
  // A loop: were it written out, what an epilogue needs would take registers
  // from the products before it.
  auto rows = scf::ForOp::create(b, index(0), toValue(height), index(1), part);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(rows.getBody());
  Value result =
      finishRow(rows.getRegionIterArg(0), at, sums, rows.getInductionVar());
  scf::YieldOp::create(b, result);
  return rows.getResult(0);
}

Value MatmulTiler::tileRow(Value part, Value first, Value partRow,
                           OpFoldResult height, const Tiles &of) {
  OpFoldResult row = apply(dim(0) + dim(1), {first, partRow});
  int64_t nr = nest.getTiles()[of.number].getColumns();
  for (int64_t at = 0; at < of.width; at += nr)
    part = computeTile(part,
                       {of.number,
                        of.isFirst,
                        {partRow, b.getIndexAttr(at)},
                        {row, apply(dim(0) + at, {of.column})},
                        {height, b.getIndexAttr(std::min(nr, of.width - at))}});
  return part;
}

/// What `body` makes of the part if `begin` is below `end`.
Value MatmulTiler::tileIfAny(Value part, Value begin, Value end,
                             function_ref<Value()> body) {
  Value isAny = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, begin, end);
  return choose(isAny, part.getType(), body, [&] { return part; });
}

Value MatmulTiler::tileRows(Value part, Value first, Value begin, Value end,
                            const Tiles &of) {
  int64_t height = nest.getTiles()[of.number].getRows();
  if (of.isFirst)
    return tileIfAny(part, begin, end, [&] {
      return tileRow(part, first, begin, b.getIndexAttr(height), of);
    });
  auto loop = scf::ForOp::create(b, begin, end, index(height), part);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value result = tileRow(loop.getRegionIterArg(0), first,
                         loop.getInductionVar(), b.getIndexAttr(height), of);
  scf::YieldOp::create(b, result);
  return loop.getResult(0);
}

Value MatmulTiler::tileBlocks(Value part, Value first, OpFoldResult rows,
                              const Tiles &of) {
  TileAttr tile = nest.getTiles()[of.number];
  int64_t nr = std::min(tile.getColumns(), of.width), mr = tile.getRows();
  auto loop = [&](OpFoldResult end, int64_t step, Value start,
                  function_ref<Value(Value, Value)> body) -> Value {
    auto steps =
        scf::ForOp::create(b, index(0), toValue(end), index(step), start);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(steps.getBody());
    Value next = body(steps.getInductionVar(), steps.getRegionIterArg(0));
    scf::YieldOp::create(b, next);
    return steps.getResult(0);
  };
  auto computeBlock = [&](Value at, Value row, Value into) {
    OpFoldResult height = least({number(mr), dim(0) - dim(1)}, {rows, row});
    return computeTile(into, {of.number,
                              of.isFirst,
                              {row, at},
                              {apply(dim(0) + dim(1), {first, row}),
                               apply(dim(0) + dim(1), {of.column, at})},
                              {height, b.getIndexAttr(nr)}});
  };
  return loop(b.getIndexAttr(of.width), nr, part, [&](Value at, Value into) {
    return loop(rows, mr, into, [&](Value row, Value next) {
      return computeBlock(at, row, next);
    });
  });
}

Value MatmulTiler::tilePart(Value part, Value first, OpFoldResult rows,
                            Value column, int64_t width) {
  if (nest.getTiles().front().isBlock())
    return tileBlocks(part, first, rows,
                      {0, nest.getPrefetch(), column, width});
  Value begin = index(0);
  bool mustPrefetch = nest.getPrefetch();
  for (auto [i, tile] : llvm::enumerate(nest.getTiles())) {
    bool isTile =
        getInfo(tile.getInstruction()).kind == InstructionInfo::Kind::Tile;
    // Tile registers take whole panels of the matrix.
    if (isTile && width % PanelLayout::kPanelRows != 0)
      continue;
    int64_t height = std::max<int64_t>(1, tile.getRows());
    Value end = toValue(apply(dim(0).floorDiv(height) * height, {rows}));
    // The first block alone meets weights that are not in the cache yet: asking
    // for more must not slow down the others.
    if (mustPrefetch && !isTile && height > 1) {
      part = tileRows(part, first, begin, end, {i, true, column, width});
      begin = toValue(apply(dim(0) + height, {begin}));
      mustPrefetch = false;
    }
    part = tileRows(part, first, begin, end, {i, false, column, width});
    begin = end;
  }
  return part;
}

/// `nc` columns, or what is left of them.
Value MatmulTiler::tileAnyWidth(Value part, Value first, OpFoldResult rows,
                                Value column) {
  int64_t rest = columns % nest.getNc();
  if (rest == 0)
    return tilePart(part, first, rows, column, nest.getNc());
  Value isWhole = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, column,
                                        index(columns - rest));
  return choose(
      isWhole, part.getType(),
      [&] { return tilePart(part, first, rows, column, nest.getNc()); },
      [&] { return tilePart(part, first, rows, column, rest); });
}

/// Blocks of columns are the inner loop: the rows stay in L2.
FailureOr<Value> MatmulTiler::tile(Value init, Value firstRow, Value endRow) {
  int64_t mc = nest.getMc(), nc = nest.getNc();
  auto loop = scf::ForallOp::create(
      b, ArrayRef<OpFoldResult>{firstRow, b.getIndexAttr(0)},
      ArrayRef<OpFoldResult>{endRow, b.getIndexAttr(columns)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(mc), b.getIndexAttr(nc)}, init,
      /*mapping=*/std::nullopt);
  b.setInsertionPointToStart(loop.getBody());
  Value row = loop.getInductionVar(0), column = loop.getInductionVar(1);
  Value shared = loop.getRegionIterArgs()[0];
  OpFoldResult rows = least({number(mc), dim(0) - dim(1)}, {endRow, row});
  OpFoldResult width = b.getIndexAttr(nc);
  if (columns % nc != 0)
    width = least({number(nc), columns - dim(0)}, {column});
  SmallVector<OpFoldResult> offsets = {row, column}, extents = {rows, width};
  Value part = slice(shared, offsets, extents);
  Value result = tileAnyWidth(part, row, rows, column);
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  b.setInsertionPointToStart(loop.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, result, shared, offsets, extents,
                                        strides);
  if (failedToTile)
    return root->emitOpError("could not be tiled");
  return loop.getResult(0);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

struct LlamaCPUTileMatmuls
    : mlir::llama::impl::LlamaCPUTileMatmulsPassBase<LlamaCPUTileMatmuls> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    // An epilogue may join two products (gate and up): each root once.
    llvm::SetVector<Operation *> roots;
    for (auto product : function.getBody().getOps<MatmulOp>()) {
      if (!product.getSchedule()) {
        product.emitOpError("has no schedule, expected one of "
                            "--llama-cpu-select-kernels");
        return signalPassFailure();
      }
      ++numTiled;
    }
    for (auto product : function.getBody().getOps<MatmulOp>())
      roots.insert(findRoot(product));
    IRRewriter rewriter(&getContext());
    for (Operation *root : roots) {
      FailureOr<Value> tiled = tile(rewriter, root);
      if (failed(tiled))
        return signalPassFailure();
      rewriter.replaceOp(root, *tiled);
    }
    gatherPrefill(rewriter);
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

private:
  /// Loops over rows of prompts, one for each root, in their order.
  SmallVector<scf::ForallOp> prefills;

  /// Rows of prompts of one product after those of another, where nothing
  /// between needs the first one's other rows: they become one phase, and the
  /// other rows of both the next.
  void gatherPrefill(IRRewriter &rewriter) {
    DominanceInfo dominance(getOperation());
    for (size_t i = 1; i < prefills.size(); ++i) {
      scf::ForallOp before = prefills[i - 1], loop = prefills[i];
      Operation *place = before->getNextNode();
      if (place == loop || !place->isBeforeInBlock(loop) ||
          needsLoopFrom(place, loop) ||
          failed(moveOperationDependencies(rewriter, loop, place, dominance)))
        continue;
      loop->moveBefore(place);
    }
    prefills.clear();
  }

  /// An epilogue that is apart from its products, which are in `sums`: of rows 0
  /// to `end`, into `init`.
  static FailureOr<Value> finish(ImplicitLocOpBuilder &b, Operation *root,
                                 ValueRange sums, Value init, Value end) {
    auto epilogue = cast<linalg::GenericOp>(root);
    SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0)),
        strides(2, b.getIndexAttr(1)),
        extents = {end,
                   b.getIndexAttr(findProducts(root).front().getColumnCount())};
    FailureOr<TilingResult> tiled =
        cast<TilingInterface>(root).getTiledImplementation(b, offsets, extents);
    if (failed(tiled))
      return root->emitOpError("could not be tiled");
    auto op = cast<linalg::GenericOp>(tiled->tiledOps[0]);
    auto slice = [&](Value source) -> Value {
      b.setInsertionPoint(op);
      return tensor::ExtractSliceOp::create(b, source, offsets, extents,
                                            strides);
    };
    for (auto [product, sum] : llvm::zip_equal(findProducts(root), sums))
      for (auto [i, input] : llvm::enumerate(epilogue.getDpsInputs()))
        if (input == product.getResult())
          op.getDpsInputOperand(i)->set(slice(sum));
    op.getDpsInitOperand(0)->set(slice(init));
    b.setInsertionPoint(root);
    return tensor::InsertSliceOp::create(b, op.getResult(0), init, offsets,
                                         extents, strides)
        .getResult();
  }

  /// Rows of prompts, 0 to `end`, into `init`. Sums of a part of k have to wait
  /// for those of the next, more of them than a thread's stack takes. They do so
  /// in the workspace, and the epilogue comes after all of them.
  static FailureOr<Value> tilePrefill(IRRewriter &rewriter, Operation *root,
                                      Value init, Value first, Value end) {
    SmallVector<MatmulOp> products = findProducts(root);
    TileAttr tile =
        products.front().getSchedule()->getPrefill().getTiles().front();
    if (isa<MatmulOp>(root) || tile.getDepth() == 0)
      return MatmulTiler(rewriter, root, /*isPrefill=*/true)
          .tile(init, first, end);
    SmallVector<Value> sums;
    for (MatmulOp product : products) {
      rewriter.setInsertionPoint(root);
      FailureOr<Value> sum = MatmulTiler(rewriter, product, /*isPrefill=*/true)
                                 .tile(product.getInit(), first, end);
      if (failed(sum))
        return failure();
      sums.push_back(*sum);
    }
    rewriter.setInsertionPoint(root);
    ImplicitLocOpBuilder b(root->getLoc(), rewriter);
    return finish(b, root, sums, init, end);
  }

  FailureOr<Value> tile(IRRewriter &rewriter, Operation *root) {
    rewriter.setInsertionPoint(root);
    ImplicitLocOpBuilder b(root->getLoc(), rewriter);
    Value init = cast<DestinationStyleOpInterface>(root).getDpsInits()[0];
    Value rows = tensor::DimOp::create(b, init, 0);
    Value first = arith::ConstantIndexOp::create(b, 0);
    if (findProducts(root).front().getSchedule()->getPrefill()) {
      Value prefill = PrefillRowsOp::create(b, b.getIndexType());
      FailureOr<Value> done = tilePrefill(rewriter, root, init, first, prefill);
      if (failed(done))
        return failure();
      if (auto loop = done->getDefiningOp<scf::ForallOp>())
        prefills.push_back(loop);
      init = *done;
      first = prefill;
      rewriter.setInsertionPoint(root);
    }
    return MatmulTiler(rewriter, root, /*isPrefill=*/false)
        .tile(init, first, rows);
  }
};

} // namespace
