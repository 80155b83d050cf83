//===- TileForAMX.cpp - Products of prompt rows on AMX tiles --------------===//
//
//   %y = product %x, %w : tensor<?xNxf32>
//
//   =>  for rows in passes
//         forall: pack the rows, [blocks of 32][K / 2][32 rows x 2]
//         forall panels of weight rows
//           for pieces of the sum                     the piece stays in L1
//             for 32 weight rows
//               for 32 rows: tile products, [weight rows, rows]
//           for 32 rows: transpose, then what is done element by element
//
// An AMX product takes its left side row by row as weights lie, its right side
// in pairs along the sum: activations are the small side, so they are packed.
// Each column of a tile is one row of activations and depends on that alone.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Tiling/TileForAMX.h"

#include "compiler/CPU/Schedule/KernelRemarks.h"
#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/TilingInterface.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::llama;
using Arg = remark::detail::Remark::Arg;

namespace {

constexpr int64_t kTile = 16;  // rows of a tile; its columns of 4 bytes
constexpr int64_t kBlock = 32; // two tiles: what four sums share four loads for

int64_t getColumns(linalg::GenericOp op) {
  return cast<ShapedType>(op.getDpsInits()[0].getType()).getDimSize(1);
}

/// The largest multiple of `unit` that divides `whole` and is `most` at most.
int64_t findDivisor(int64_t whole, int64_t unit, int64_t most) {
  int64_t size = most / unit * unit;
  while (size > unit && whole % size != 0)
    size -= unit;
  return size;
}

std::string findObstacle(linalg::GenericOp product) {
  for (Value input : product.getDpsInputs())
    if (Type type = getElementTypeOrSelf(input.getType()); !type.isBF16())
      return llvm::formatv("an operand is {0}, tiles take bf16", type);
  int64_t depth = product.getStaticLoopRanges().back();
  int64_t columns = getColumns(product);
  if (columns % kBlock != 0)
    return llvm::formatv("out is {0}, no multiple of {1}", columns, kBlock);
  if (columns < 2 * kBlock)
    return llvm::formatv("out is {0}, less than {1}", columns, 2 * kBlock);
  if (depth % kBlock != 0)
    return llvm::formatv("in is {0}, no multiple of {1}", depth, kBlock);
  return "";
}

class AMXTiler {
public:
  AMXTiler(RewriterBase &rewriter, linalg::GenericOp root,
           const AMXSizes &sizes)
      : b(root.getLoc(), rewriter), root(root), products(findProducts(root)),
        columns(getColumns(root)),
        depth(products[0].getStaticLoopRanges().back()),
        rowsPerPass(sizes.rowsPerPass),
        // Two panels at least: a parallel loop of one step would be folded
        // away, and every thread would do its work.
        panel(findDivisor(columns, kBlock,
                          std::min(sizes.panelColumns, columns / 2))),
        piece(findDivisor(depth, kBlock, std::min(sizes.depth, depth))) {}

  FailureOr<Value> tile(Value init, Value rows);

private:
  Value tilePass(Value whole, Value first, Value count);
  Value pack(Value rows, Value first, Value count);
  Value packHalf(Value into, Value rows, Value row, Value k, int64_t half);
  Value tilePanel(Value panelRows, Value first, Value count, Value column);
  SmallVector<Value> sumPanel(Value count, Value column);
  Value clear(Value sums, Value count);
  Value multiply(Value sums, linalg::GenericOp product, Value packed,
                 Value column, Value at, Value panelRow, Value row);
  Value finishBlock(Value panelRows, ValueRange sums, Value first, Value count,
                    Value column, Value row);
  Value transpose(Value sums, Value row);
  SmallVector<Value> transposeSquare(SmallVector<Value> lines);
  Value finishRow(Value panelRows, ValueRange tiles, Value passRow, Value row,
                  Value column, Value rowInTile);

  /// A loop that carries tensors; `body` returns what they become.
  SmallVector<Value>
  loop(Value end, int64_t step, ValueRange carried,
       function_ref<SmallVector<Value>(Value, ValueRange)> body);
  Value slice(Value source, ArrayRef<OpFoldResult> offsets,
              ArrayRef<int64_t> extents, RankedTensorType type = {});
  Value insert(Value tile, Value into, ArrayRef<OpFoldResult> offsets,
               ArrayRef<int64_t> extents);
  SmallVector<OpFoldResult> getIndices(ArrayRef<int64_t> values) {
    SmallVector<OpFoldResult> result;
    for (int64_t value : values)
      result.push_back(b.getIndexAttr(value));
    return result;
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value plus(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value over(Value x, int64_t y) {
    return arith::DivUIOp::create(b, x, index(y));
  }
  /// The smaller of `size` and what is left of `end` from `begin` on.
  Value rest(Value end, Value begin, int64_t size) {
    return arith::MinUIOp::create(b, arith::SubIOp::create(b, end, begin),
                                  index(size));
  }

  ImplicitLocOpBuilder b;
  linalg::GenericOp root;
  SmallVector<linalg::GenericOp> products;
  SmallVector<Value> packed; ///< of the pass, one for each product
  int64_t columns, depth, rowsPerPass, panel, piece;
  bool failedToTile = false;
};

} // namespace

SmallVector<linalg::GenericOp> llama::findProducts(linalg::GenericOp root) {
  SmallVector<linalg::GenericOp> products;
  if (root.getNumReductionLoops() == 1)
    products.push_back(root);
  else
    for (Value input : root.getDpsInputs())
      if (auto product = input.getDefiningOp<linalg::GenericOp>();
          product && product.getNumReductionLoops() == 1 &&
          product.getNumParallelLoops() == 2)
        products.push_back(product);
  return products;
}

std::string llama::findAMXObstacle(ArrayRef<linalg::GenericOp> products) {
  for (linalg::GenericOp product : products) {
    if (std::string obstacle = findObstacle(product); !obstacle.empty())
      return obstacle;
    linalg::GenericOp first = products[0];
    if (product.getStaticLoopRanges().back() !=
        first.getStaticLoopRanges().back())
      return "it is joined with a product of other width";
  }
  return "";
}

SmallVector<Value>
AMXTiler::loop(Value end, int64_t step, ValueRange carried,
               function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, index(0), end, index(step), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return loop.getResults();
}

Value AMXTiler::slice(Value source, ArrayRef<OpFoldResult> offsets,
                      ArrayRef<int64_t> extents, RankedTensorType type) {
  SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
  if (type)
    return tensor::ExtractSliceOp::create(b, type, source, offsets,
                                          getIndices(extents), strides);
  return tensor::ExtractSliceOp::create(b, source, offsets, getIndices(extents),
                                        strides);
}

Value AMXTiler::insert(Value tile, Value into, ArrayRef<OpFoldResult> offsets,
                       ArrayRef<int64_t> extents) {
  SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, tile, into, offsets,
                                       getIndices(extents), strides);
}

/// 16 vectors of 16. Line i and line i + 8 take turns: four times that, and
/// each element's four bits of line and of column have changed places.
SmallVector<Value> AMXTiler::transposeSquare(SmallVector<Value> lines) {
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < kTile / 2; ++i) {
    low.append({i, i + kTile});
    high.append({i + kTile / 2, i + kTile / 2 + kTile});
  }
  for (int64_t round = 0; round < 4; ++round) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < kTile / 2; ++i)
      for (ArrayRef<int64_t> turns : {low, high})
        next.push_back(vector::ShuffleOp::create(b, lines[i],
                                                 lines[i + kTile / 2], turns));
    lines = next;
  }
  return lines;
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// 16 rows by 32 elements become 16 pairs of elements by 16 rows. Pairs are
/// moved as words: to many machines bf16 is no number. Instead of rows that
/// there are not, the last one comes again.
Value AMXTiler::packHalf(Value into, Value rows, Value row, Value k,
                         int64_t half) {
  auto words = VectorType::get(kTile, b.getI32Type());
  auto pairs = VectorType::get(2 * kTile, b.getBF16Type());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(b.getBF16Type()));
  Value last =
      arith::SubIOp::create(b, tensor::DimOp::create(b, rows, 0), index(1));
  SmallVector<Value> square;
  for (int64_t i = 0; i < kTile; ++i) {
    Value at = arith::MinUIOp::create(b, plus(row, index(i)), last);
    Value read = vector::TransferReadOp::create(
        b, pairs, rows, ValueRange{at, k}, zero, ArrayRef<bool>{true});
    square.push_back(vector::BitCastOp::create(b, words, read));
  }
  for (auto [i, line] : llvm::enumerate(transposeSquare(square)))
    into =
        vector::TransferWriteOp::create(
            b, vector::BitCastOp::create(b, pairs, line), into,
            ValueRange{index(i), index(half * 2 * kTile)}, ArrayRef<bool>{true})
            .getResult();
  return into;
}

/// The rows of a pass as tensor<blocks x K/2 x 64>: of each block of 32 rows,
/// pairs of neighbouring elements side by side.
Value AMXTiler::pack(Value rows, Value first, Value count) {
  auto type = RankedTensorType::get(
      {rowsPerPass / kBlock, depth / 2, 2 * kBlock}, b.getBF16Type());
  Value place =
      tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
  Value blocks = over(plus(count, index(kBlock - 1)), kBlock);
  auto forall = scf::ForallOp::create(
      b, ArrayRef<OpFoldResult>{blocks, b.getIndexAttr(depth / kBlock)}, place,
      /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forall.getBody());
  Value block = forall.getInductionVar(0), step = forall.getInductionVar(1);
  Value row = plus(first, arith::MulIOp::create(b, block, index(kBlock)));
  Value k = arith::MulIOp::create(b, step, index(kBlock));
  SmallVector<OpFoldResult> offsets = {
      block, arith::MulIOp::create(b, step, index(kTile)).getResult(),
      b.getIndexAttr(0)};
  auto tileType = RankedTensorType::get({kTile, 2 * kBlock}, b.getBF16Type());
  Value tile = slice(forall.getRegionIterArgs()[0], offsets,
                     {1, kTile, 2 * kBlock}, tileType);
  tile = packHalf(tile, rows, row, k, 0);
  tile = packHalf(tile, rows, plus(row, index(kTile)), k, 1);
  SmallVector<OpFoldResult> strides(3, b.getIndexAttr(1));
  b.setInsertionPointToStart(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, tile, forall.getRegionIterArgs()[0], offsets,
      getIndices({1, kTile, 2 * kBlock}), strides);
  return forall.getResult(0);
}

//===----------------------------------------------------------------------===//
// Sums of a panel, [weight rows, rows]
//===----------------------------------------------------------------------===//

Value AMXTiler::clear(Value sums, Value count) {
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(b.getF32Type()));
  return loop(count, kBlock, sums, [&](Value row, ValueRange carried) {
    SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), row};
    Value part = slice(carried[0], offsets, {panel, kBlock});
    part = linalg::FillOp::create(b, zero, part).getResult(0);
    return SmallVector<Value>{
        insert(part, carried[0], offsets, {panel, kBlock})};
  })[0];
}

/// Adds `piece` products to the sums of 32 weight rows and 32 rows.
Value AMXTiler::multiply(Value sums, linalg::GenericOp product, Value packed,
                         Value column, Value at, Value panelRow, Value row) {
  auto split = [&](Value tensor, ArrayRef<int64_t> shape,
                   ArrayRef<ReassociationIndices> folding) {
    return tensor::ExpandShapeOp::create(
        b, RankedTensorType::get(shape, b.getBF16Type()), tensor, folding);
  };
  Value weights = slice(product.getDpsInputs()[1], {plus(column, panelRow), at},
                        {kBlock, piece});
  weights = split(weights, {kBlock, piece / 2, 2}, {{0}, {1, 2}});
  Value rows =
      slice(packed, {over(row, kBlock), over(at, 2), b.getIndexAttr(0)},
            {1, piece / 2, 2 * kBlock},
            RankedTensorType::get({piece / 2, 2 * kBlock}, b.getBF16Type()));
  rows = split(rows, {piece / 2, kBlock, 2}, {{0}, {1, 2}});
  SmallVector<OpFoldResult> offsets = {panelRow, row};
  Value tile = slice(sums, offsets, {kBlock, kBlock});

  AffineExpr w, t, k, pair;
  bindDims(b.getContext(), w, t, k, pair);
  SmallVector<AffineMap> maps = {
      AffineMap::get(4, 0, {w, k, pair}, b.getContext()),
      AffineMap::get(4, 0, {k, t, pair}, b.getContext()),
      AffineMap::get(4, 0, {w, t}, b.getContext())};
  SmallVector<utils::IteratorType> iterators = {
      utils::IteratorType::parallel, utils::IteratorType::parallel,
      utils::IteratorType::reduction, utils::IteratorType::reduction};
  auto tiled = linalg::GenericOp::create(
      b, tile.getType(), ValueRange{weights, rows}, ValueRange{tile}, maps,
      iterators, [](OpBuilder &nested, Location loc, ValueRange args) {
        Type f32 = nested.getF32Type();
        Value x = arith::ExtFOp::create(nested, loc, f32, args[0]);
        Value y = arith::ExtFOp::create(nested, loc, f32, args[1]);
        Value xy = arith::MulFOp::create(nested, loc, x, y);
        linalg::YieldOp::create(
            nested, loc,
            arith::AddFOp::create(nested, loc, args[2], xy).getResult());
      });
  tiled->setAttr(kAMXTileAttr, b.getUnitAttr());
  tiled->setLoc(product.getLoc());
  return insert(tiled.getResult(0), sums, offsets, {kBlock, kBlock});
}

SmallVector<Value> AMXTiler::sumPanel(Value count, Value column) {
  SmallVector<Value> sums;
  for (size_t i = 0; i < products.size(); ++i)
    sums.push_back(
        clear(tensor::EmptyOp::create(b, ArrayRef<int64_t>{panel, rowsPerPass},
                                      b.getF32Type()),
              count));
  return loop(index(depth), piece, sums, [&](Value at, ValueRange carried) {
    return loop(
        index(panel), kBlock, carried, [&](Value panelRow, ValueRange carried) {
          return loop(count, kBlock, carried,
                      [&](Value row, ValueRange carried) {
                        SmallVector<Value> next;
                        for (auto [product, input, sum] :
                             llvm::zip_equal(products, packed, carried))
                          next.push_back(multiply(sum, product, input, column,
                                                  at, panelRow, row));
                        return next;
                      });
        });
  });
}

//===----------------------------------------------------------------------===//
// What becomes of the sums
//===----------------------------------------------------------------------===//

/// 32 columns of the sums as rows: tensor<32 x panel>.
Value AMXTiler::transpose(Value sums, Value row) {
  Value place = tensor::EmptyOp::create(b, ArrayRef<int64_t>{kBlock, panel},
                                        b.getF32Type());
  auto type = VectorType::get(kTile, b.getF32Type());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(b.getF32Type()));
  return loop(index(panel), kTile, place, [&](Value column, ValueRange tile) {
    Value result = tile[0];
    for (int64_t half = 0; half < 2; ++half) {
      Value at = index(half * kTile);
      SmallVector<Value> square;
      for (int64_t i = 0; i < kTile; ++i)
        square.push_back(vector::TransferReadOp::create(
            b, type, sums, ValueRange{plus(column, index(i)), plus(row, at)},
            zero, ArrayRef<bool>{true}));
      for (auto [i, line] : llvm::enumerate(transposeSquare(square)))
        result =
            vector::TransferWriteOp::create(
                b, line, result, ValueRange{index(half * kTile + i), column},
                ArrayRef<bool>{true})
                .getResult();
    }
    return SmallVector<Value>{result};
  })[0];
}

/// One row of the panel: the sums, or what `root` makes of them.
Value AMXTiler::finishRow(Value panelRows, ValueRange tiles, Value passRow,
                          Value row, Value column, Value rowInTile) {
  SmallVector<OpFoldResult> place = {passRow, b.getIndexAttr(0)};
  SmallVector<Value> sums;
  for (Value tile : tiles)
    sums.push_back(slice(tile, {rowInTile, b.getIndexAttr(0)}, {1, panel}));
  if (root.getNumReductionLoops() == 1)
    return insert(sums[0], panelRows, place, {1, panel});
  Value into = slice(panelRows, place, {1, panel});
  FailureOr<TilingResult> tiled =
      cast<TilingInterface>(root.getOperation())
          .getTiledImplementation(b, {row, column}, getIndices({1, panel}));
  if (failed(tiled)) {
    failedToTile = true;
    return panelRows;
  }
  auto op = cast<linalg::GenericOp>(tiled->tiledOps[0]);
  for (auto [i, input] : llvm::enumerate(root.getDpsInputs()))
    for (auto [product, sum] : llvm::zip_equal(products, sums))
      if (input == product.getResult(0))
        op.getDpsInputOperand(i)->set(sum);
  op.getDpsInitOperand(0)->set(into);
  return insert(op.getResult(0), panelRows, place, {1, panel});
}

Value AMXTiler::finishBlock(Value panelRows, ValueRange sums, Value first,
                            Value count, Value column, Value row) {
  SmallVector<Value> tiles;
  for (Value sum : sums)
    tiles.push_back(transpose(sum, row));
  return loop(rest(count, row, kBlock), 1, panelRows,
              [&](Value rowInTile, ValueRange carried) {
                Value passRow = plus(row, rowInTile);
                return SmallVector<Value>{finishRow(carried[0], tiles, passRow,
                                                    plus(first, passRow),
                                                    column, rowInTile)};
              })[0];
}

Value AMXTiler::tilePanel(Value panelRows, Value first, Value count,
                          Value column) {
  SmallVector<Value> sums = sumPanel(count, column);
  return loop(count, kBlock, panelRows, [&](Value row, ValueRange carried) {
    return SmallVector<Value>{
        finishBlock(carried[0], sums, first, count, column, row)};
  })[0];
}

Value AMXTiler::tilePass(Value whole, Value first, Value count) {
  packed.clear();
  DenseMap<Value, Value> known;
  for (linalg::GenericOp product : products) {
    Value &rows = known[product.getDpsInputs()[0]];
    b.setLoc(product.getLoc());
    if (!rows)
      rows = pack(product.getDpsInputs()[0], first, count);
    packed.push_back(rows);
  }
  b.setLoc(root.getLoc());
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  SmallVector<OpFoldResult> passOffsets = {first, b.getIndexAttr(0)};
  SmallVector<OpFoldResult> passExtents = {count, b.getIndexAttr(columns)};
  Value pass = tensor::ExtractSliceOp::create(b, whole, passOffsets,
                                              passExtents, strides);
  auto forall =
      scf::ForallOp::create(b, ArrayRef<OpFoldResult>{b.getIndexAttr(0)},
                            ArrayRef<OpFoldResult>{b.getIndexAttr(columns)},
                            ArrayRef<OpFoldResult>{b.getIndexAttr(panel)}, pass,
                            /*mapping=*/std::nullopt);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forall.getBody());
    Value column = forall.getInductionVar(0);
    Value shared = forall.getRegionIterArgs()[0];
    SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), column};
    SmallVector<OpFoldResult> extents = {count, b.getIndexAttr(panel)};
    Value part =
        tensor::ExtractSliceOp::create(b, shared, offsets, extents, strides);
    Value result = tilePanel(part, first, count, column);
    b.setInsertionPointToStart(forall.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(b, result, shared, offsets, extents,
                                          strides);
  }
  return tensor::InsertSliceOp::create(b, forall.getResult(0), whole,
                                       passOffsets, passExtents, strides);
}

FailureOr<Value> AMXTiler::tile(Value init, Value rows) {
  Value result =
      loop(rows, rowsPerPass, init, [&](Value first, ValueRange carried) {
        return SmallVector<Value>{
            tilePass(carried[0], first, rest(rows, first, rowsPerPass))};
      })[0];
  if (failedToTile)
    return root.emitOpError("could not be tiled for AMX");
  for (linalg::GenericOp product : products)
    remarkPassed(product, "amx") << Arg("RowsPerPass", rowsPerPass)
                                 << Arg("Panel", panel) << Arg("Depth", piece);
  return result;
}

FailureOr<Value> llama::tileForAMX(RewriterBase &rewriter,
                                   linalg::GenericOp root, Value init,
                                   Value rows, const AMXSizes &sizes) {
  return AMXTiler(rewriter, root, sizes).tile(init, rows);
}
