//===- AMXFloatTile.cpp - Products of bf16 in tile registers --------------===//
//
//   kernel.matmul tile <"tdpbf16ps" 32 x 32>
//
//   =>  for 32 elements of k: 2 tiles of rows by 2 of panels
//
// Of rows that remain, fewer than 16, a copy is multiplied in which the last
// one is repeated; each row of a tile is summed by itself.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/AMXTile.h"
#include "compiler/CPU/Kernels/RegisterTile.h"

using namespace mlir;
using namespace mlir::llama;

namespace {

class AMXFloatTile final : public RegisterTile {
public:
  AMXFloatTile(RewriterBase &rewriter, MatmulOp op, Value panels)
      : RegisterTile(rewriter, op, panels),
        isRest(rows == ShapedType::kDynamic),
        leftTiles(isRest ? 1 : rows / kTileRows),
        rightTiles(columns / kTileRows), step(kTileBytes / 2), flat(flatten()) {
    if (isRest) {
      copy = allocate({kTileRows, step}, b.getBF16Type());
      results = allocate({kTileRows, columns}, b.getF32Type());
      Value count = memref::DimOp::create(b, op.getRows(), 0);
      last = arith::SubIOp::create(b, count, index(1));
    }
  }

  void lower() override;

private:
  /// The matrix as bytes in one row, of which views are tiles.
  Value flatten() {
    return memref::CollapseShapeOp::create(
        b, panels, SmallVector<ReassociationIndices>{{0, 1}});
  }
  SmallVector<Value> loadLeft(Value k);
  SmallVector<Value> loadRight(Value k);
  void copyRest(Value k);
  void storeRest();

  bool isRest;
  int64_t leftTiles, rightTiles, step;
  Value flat;
  Value copy, results, last; ///< of rows that remain
};

} // namespace

void AMXFloatTile::copyRest(Value k) {
  for (int64_t i = 0; i < kTileRows; ++i) {
    Value row = arith::MinUIOp::create(b, index(i), last);
    vector::StoreOp::create(b, load(op.getRows(), row, k, step), copy,
                            ValueRange{index(i), index(0)});
  }
}

SmallVector<Value> AMXFloatTile::loadLeft(Value k) {
  amx::TileType type = getTileType(b.getBF16Type());
  if (isRest) {
    copyRest(k);
    return {
        amx::TileLoadOp::create(b, type, copy, ValueRange{index(0), index(0)})};
  }
  SmallVector<Value> tiles;
  for (int64_t i = 0; i < leftTiles; ++i)
    tiles.push_back(amx::TileLoadOp::create(
        b, type, op.getRows(), ValueRange{index(i * kTileRows), k}));
  return tiles;
}

SmallVector<Value> AMXFloatTile::loadRight(Value k) {
  SmallVector<Value> tiles;
  Value line = arith::DivUIOp::create(b, k, index(layout.getLineColumns()));
  auto type = MemRefType::get({kTileRows, step}, b.getBF16Type());
  for (int64_t i = 0; i < rightTiles; ++i) {
    Value panel = times(plus(firstPanel, i), layout.getPanelBytes(depth));
    Value byte = plus(panel, times(line, layout.getLineBytes()));
    Value lines = memref::ViewOp::create(b, type, flat, byte, ValueRange{});
    tiles.push_back(amx::TileLoadOp::create(b, getTileType(b.getBF16Type()),
                                            lines,
                                            ValueRange{index(0), index(0)}));
  }
  return tiles;
}

void AMXFloatTile::storeRest() {
  Value count = memref::DimOp::create(b, op.getInit(), 0);
  loop(count, 1, [&](Value row) {
    Value sums = load(results, row, index(0), columns);
    vector::StoreOp::create(b, sums, op.getInit(), ValueRange{row, index(0)});
  });
}

void AMXFloatTile::lower() {
  SmallVector<Value> sums;
  for (int64_t i = 0; i < leftTiles * rightTiles; ++i)
    sums.push_back(amx::TileZeroOp::create(b, getTileType(b.getF32Type())));
  Instruction instruction = op.getTile()->getInstruction();
  sums = loop(depth, step, sums, [&](Value k, ValueRange carried) {
    return emitTileProducts(b, instruction, loadLeft(k), loadRight(k), carried);
  });
  Value into = isRest ? results : Value(op.getInit());
  for (auto [i, sum] : llvm::enumerate(sums)) {
    int64_t number = static_cast<int64_t>(i);
    amx::TileStoreOp::create(b, into,
                             ValueRange{index(number / rightTiles * kTileRows),
                                        index(number % rightTiles * kTileRows)},
                             sum);
  }
  if (isRest)
    storeRest();
}

void llama::lowerAMXFloatTile(RewriterBase &rewriter, MatmulOp op,
                              Value panels) {
  AMXFloatTile(rewriter, op, panels).lower();
}
