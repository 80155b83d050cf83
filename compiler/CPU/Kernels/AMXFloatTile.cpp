//===- AMXFloatTile.cpp - Products of bf16 in tile registers --------------===//
//
//   kernel.matmul tile <"tdpbf16ps" 256 x 128 by 2048>
//
//   =>  for 2048 elements of k:           those of the rows stay in L2
//         for pairs of panels:
//           for 32 rows:
//             for 32 elements of k:       2 tiles of rows by 2 of panels
//
// Sums wait in the result's place from one part of k to the next. Of rows that
// remain, fewer than 32, 16 at a time are copied, the last one repeated as often
// as it takes; each row of a tile is summed by itself.
//
// Every step asks for lines of the pair that comes next, a quarter of those that
// lie where the step is. So four times 32 rows ask for all of them.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/AMXTile.h"
#include "compiler/CPU/Kernels/RegisterTile.h"

using namespace mlir;
using namespace mlir::llama;

namespace {

// Panels of a pair, and its rows of the matrix.
constexpr int64_t kPair = 2;
constexpr int64_t kPairColumns = kPair * kTileRows;
// Elements of k in a step.
constexpr int64_t kStep = kTileBytes / 2;
// Tiles of 32 rows that share the lines of a step, in asking for them.
constexpr int64_t kAskers = 4;

class AMXFloatTile final : public RegisterTile {
public:
  AMXFloatTile(RewriterBase &rewriter, MatmulOp op, Value panels)
      : RegisterTile(rewriter, op, panels), flat(flatten()),
        count(memref::DimOp::create(b, op.getInit(), 0)) {
    part = op.getTile()->getDepth();
    isInParts = part != 0;
    if (!isInParts)
      part = depth;
    copy = allocate({kTileRows, kStep}, b.getBF16Type());
    results = allocate({kTileRows, kPairColumns}, b.getF32Type());
  }

  void lower() override;

private:
  /// Elements of k, and where they meet the matrix.
  struct Pair {
    Value begin, end; ///< of k
    Value column;     ///< of the op
    Value panel;      ///< its first
    Value next;       ///< byte where what comes next begins, less those of k
  };

  /// The matrix as bytes in one row, of which views are tiles.
  Value flatten() {
    return memref::CollapseShapeOp::create(
        b, panels, SmallVector<ReassociationIndices>{{0, 1}});
  }
  amx::TileType sumTile() { return getTileType(b.getF32Type()); }
  void clear();
  void multiplyPart(Value begin, Value end);
  Value locateNext(Value column, Value panel);
  /// Rows `row` to `row` + 31.
  void multiplyWhole(const Pair &pair, Value row);
  /// 16 rows from `row` on, or those that there are.
  void multiplyRest(const Pair &pair, Value row);
  void copyRest(Value row, Value k);
  void copySums(const Pair &pair, Value row, bool isBack);
  void ask(const Pair &pair, Value row, Value k);
  SmallVector<Value> loadRight(const Pair &pair, Value k);
  /// Sums of `tiles` tiles of rows from `row` on, as `memref` has them.
  SmallVector<Value> loadSums(Value memref, Value row, Value column,
                              int64_t tiles);
  void storeSums(ValueRange sums, Value memref, Value row, Value column);
  SmallVector<Value> addSteps(const Pair &pair, ValueRange sums,
                              function_ref<SmallVector<Value>(Value)> loadLeft);

  Value flat, count;
  int64_t part; ///< of k, at once
  bool isInParts;
  Value copy, results; ///< of rows that remain
};

} // namespace

void AMXFloatTile::clear() {
  loop(count, 1, [&](Value row) {
    loop(index(columns), kTileRows, [&](Value column) {
      vector::StoreOp::create(b,
                              zeros(VectorType::get(kTileRows, b.getF32Type())),
                              op.getInit(), ValueRange{row, column});
    });
  });
}

/// Where the lines lie that are wanted after the pair at `column`: of the pair
/// beside it or, after the last one of the nest's columns, of the next part of
/// k of the first one.
Value AMXFloatTile::locateNext(Value column, Value panel) {
  auto block = static_cast<int64_t>(*op.getPrefetch());
  Value first = op.getColumn() ? op.getColumn() : index(0);
  Value inBlock = arith::RemUIOp::create(b, plus(first, column), index(block));
  Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, inBlock,
                                       index(block - kPairColumns));
  Value beside = times(plus(panel, kPair), layout.getPanelBytes(depth));
  Value back = arith::DivUIOp::create(b, inBlock, index(kTileRows));
  Value after = plus(
      times(arith::SubIOp::create(b, panel, back), layout.getPanelBytes(depth)),
      part / layout.getLineColumns() * layout.getLineBytes());
  return arith::SelectOp::create(b, isLast, after, beside);
}

void AMXFloatTile::ask(const Pair &pair, Value row, Value k) {
  if (!pair.next)
    return;
  // Two of the four are of the first panel, two of the second.
  constexpr int64_t kLines = kPair * kTileRows / kAskers;
  Value asker = arith::RemUIOp::create(
      b, arith::DivUIOp::create(b, row, index(2 * kTileRows)), index(kAskers));
  Value panel = arith::DivUIOp::create(b, asker, index(kAskers / kPair));
  Value half = arith::RemUIOp::create(b, asker, index(kAskers / kPair));
  Value line = arith::DivUIOp::create(b, k, index(layout.getLineColumns()));
  Value byte = plus(plus(pair.next, times(panel, layout.getPanelBytes(depth))),
                    plus(times(line, layout.getLineBytes()),
                         times(half, kLines * layout.getLineBytes())));
  for (int64_t i = 0; i < kLines; ++i)
    memref::PrefetchOp::create(
        b, flat, ValueRange{plus(byte, i * layout.getLineBytes())},
        /*isWrite=*/false, /*localityHint=*/2,
        /*isDataCache=*/true);
}

SmallVector<Value> AMXFloatTile::loadRight(const Pair &pair, Value k) {
  SmallVector<Value> tiles;
  Value line = arith::DivUIOp::create(b, k, index(layout.getLineColumns()));
  auto type = MemRefType::get({kTileRows, kStep}, b.getBF16Type());
  for (int64_t i = 0; i < kPair; ++i) {
    Value byte = plus(times(plus(pair.panel, i), layout.getPanelBytes(depth)),
                      times(line, layout.getLineBytes()));
    Value lines = memref::ViewOp::create(b, type, flat, byte, ValueRange{});
    tiles.push_back(amx::TileLoadOp::create(b, getTileType(b.getBF16Type()),
                                            lines,
                                            ValueRange{index(0), index(0)}));
  }
  return tiles;
}

SmallVector<Value> AMXFloatTile::loadSums(Value memref, Value row, Value column,
                                          int64_t tiles) {
  SmallVector<Value> sums;
  for (int64_t i = 0; i < tiles; ++i)
    for (int64_t j = 0; j < kPair; ++j)
      sums.push_back(
          isInParts
              ? amx::TileLoadOp::create(b, sumTile(), memref,
                                        ValueRange{plus(row, i * kTileRows),
                                                   plus(column, j * kTileRows)})
                    .getResult()
              : amx::TileZeroOp::create(b, sumTile()).getResult());
  return sums;
}

void AMXFloatTile::storeSums(ValueRange sums, Value memref, Value row,
                             Value column) {
  for (auto [i, sum] : llvm::enumerate(sums)) {
    auto tile = static_cast<int64_t>(i);
    amx::TileStoreOp::create(b, memref,
                             ValueRange{plus(row, tile / kPair * kTileRows),
                                        plus(column, tile % kPair * kTileRows)},
                             sum);
  }
}

SmallVector<Value>
AMXFloatTile::addSteps(const Pair &pair, ValueRange sums,
                       function_ref<SmallVector<Value>(Value)> loadLeft) {
  auto steps = scf::ForOp::create(b, pair.begin, pair.end, index(kStep), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(steps.getBody());
  Value k = steps.getInductionVar();
  scf::YieldOp::create(b, emitTileProducts(b, op.getTile()->getInstruction(),
                                           loadLeft(k), loadRight(pair, k),
                                           steps.getRegionIterArgs()));
  return steps.getResults();
}

void AMXFloatTile::multiplyWhole(const Pair &pair, Value row) {
  constexpr int64_t kTiles = 2;
  amx::TileType type = getTileType(b.getBF16Type());
  SmallVector<Value> sums = addSteps(
      pair, loadSums(op.getInit(), row, pair.column, kTiles), [&](Value k) {
        SmallVector<Value> tiles;
        for (int64_t i = 0; i < kTiles; ++i)
          tiles.push_back(amx::TileLoadOp::create(
              b, type, op.getRows(), ValueRange{plus(row, i * kTileRows), k}));
        ask(pair, row, k);
        return tiles;
      });
  storeSums(sums, op.getInit(), row, pair.column);
}

void AMXFloatTile::copyRest(Value row, Value k) {
  Value last = arith::SubIOp::create(b, count, index(1));
  for (int64_t i = 0; i < kTileRows; ++i) {
    Value from = arith::MinUIOp::create(b, plus(row, i), last);
    vector::StoreOp::create(b, load(op.getRows(), from, k, kStep), copy,
                            ValueRange{index(i), index(0)});
  }
}

/// Sums of the rows that remain: from the result to `results`, or back.
void AMXFloatTile::copySums(const Pair &pair, Value row, bool isBack) {
  Value rest = arith::MinUIOp::create(b, arith::SubIOp::create(b, count, row),
                                      index(kTileRows));
  loop(rest, 1, [&](Value i) {
    for (int64_t j = 0; j < kPairColumns; j += kTileRows) {
      Value at = plus(row, i), column = plus(pair.column, j);
      if (isBack)
        vector::StoreOp::create(b, load(results, i, index(j), kTileRows),
                                op.getInit(), ValueRange{at, column});
      else
        vector::StoreOp::create(b, load(op.getInit(), at, column, kTileRows),
                                results, ValueRange{i, index(j)});
    }
  });
}

void AMXFloatTile::multiplyRest(const Pair &pair, Value row) {
  if (isInParts)
    copySums(pair, row, /*isBack=*/false);
  SmallVector<Value> sums =
      addSteps(pair, loadSums(results, index(0), index(0), 1), [&](Value k) {
        copyRest(row, k);
        return SmallVector<Value>{
            amx::TileLoadOp::create(b, getTileType(b.getBF16Type()), copy,
                                    ValueRange{index(0), index(0)})};
      });
  storeSums(sums, results, index(0), index(0));
  copySums(pair, row, /*isBack=*/true);
}

void AMXFloatTile::multiplyPart(Value begin, Value end) {
  constexpr int64_t kRows = 2 * kTileRows;
  loop(index(columns), kPairColumns, [&](Value column) {
    Pair pair{begin, end, column, Value(), Value()};
    pair.panel =
        plus(firstPanel, arith::DivUIOp::create(b, column, index(kTileRows)));
    if (op.getPrefetch())
      pair.next = locateNext(column, pair.panel);
    Value whole = times(arith::DivUIOp::create(b, count, index(kRows)), kRows);
    loop(whole, kRows, [&](Value row) { multiplyWhole(pair, row); });
    auto rest = scf::ForOp::create(b, whole, count, index(kTileRows));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(rest.getBody());
    multiplyRest(pair, rest.getInductionVar());
  });
}

void AMXFloatTile::lower() {
  if (!isInParts)
    return multiplyPart(index(0), index(depth));
  clear();
  loop(index(depth), part, [&](Value begin) {
    Value end = arith::MinUIOp::create(b, plus(begin, part), index(depth));
    multiplyPart(begin, end);
  });
}

void llama::lowerAMXFloatTile(RewriterBase &rewriter, MatmulOp op,
                              Value panels) {
  AMXFloatTile(rewriter, op, panels).lower();
}
