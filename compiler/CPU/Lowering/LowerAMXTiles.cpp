//===- LowerAMXTiles.cpp - Products of tiles to AMX instructions ----------===//
//
//   linalg.generic {llama.amx_tile} : 32 rows of the left side x 32
//
//   =>  4 tiles of sums, loaded, or zeros
//       for 64 bytes at a time: 4 tile loads, 4 tile products
//       4 tiles of sums, stored
//
// Two tiles of the left side by two of the right one: each tile that is loaded
// is used twice, and the sums stay in registers. Either side may be a single
// tile instead. Words are the 4 bytes whose products are added at once: two
// bf16 or four integers.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/CPU/Tiling/TileForAMX.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPULOWERAMXTILESPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

constexpr int64_t kTile = 16;

/// The op that fills the output of `op` with zeros right before it, or null.
linalg::FillOp findZeros(linalg::GenericOp op) {
  Operation *before = op->getPrevNode();
  while (before && isMemoryEffectFree(before))
    before = before->getPrevNode();
  auto fill = dyn_cast_or_null<linalg::FillOp>(before);
  bool isZero = fill && (matchPattern(fill.value(), m_Zero()) ||
                         matchPattern(fill.value(), m_PosZeroFloat()));
  return isZero && fill.output() == op.getDpsInits()[0] ? fill : nullptr;
}

/// Of bf16, left [m, k, 2], right [k, n, 2], sums [m, n]; of bytes, left
/// [m, k, 4], right [n / 16, k, 16, 4], sums [m, n / 16, 16].
class TileProduct {
public:
  TileProduct(RewriterBase &rewriter, linalg::GenericOp op)
      : b(op.getLoc(), rewriter), op(op), zeros(findZeros(op)),
        left(joinLast(op.getDpsInputs()[0])),
        right(joinLast(op.getDpsInputs()[1])), sums(op.getDpsInits()[0]),
        wordElements(getType(op.getDpsInputs()[0]).getShape().back()) {
    if (getType(sums).getRank() == 3)
      sums = joinLast(sums);
    steps = getType(left).getDimSize(1) / wordElements;
    leftTiles = getType(sums).getDimSize(0) / kTile;
    rightTiles = getType(sums).getDimSize(1) / kTile;
  }

  void lower(RewriterBase &rewriter);

private:
  static MemRefType getType(Value memref) {
    return cast<MemRefType>(memref.getType());
  }
  /// [.., a, b] as [.., a b]: tiles have two dimensions.
  Value joinLast(Value memref) {
    SmallVector<ReassociationIndices> folding;
    int64_t rank = getType(memref).getRank();
    for (int64_t i = 0; i < rank - 1; ++i)
      folding.push_back({i});
    folding.back().push_back(rank - 1);
    return memref::CollapseShapeOp::create(b, memref, folding);
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  amx::TileType getTile(Type element) {
    return amx::TileType::get({kTile, 64 * 8 / element.getIntOrFloatBitWidth()},
                              element);
  }
  Value load(Value from, ValueRange at) {
    auto type = getTile(getType(from).getElementType());
    return amx::TileLoadOp::create(b, type, from, at);
  }
  /// Where sums number i lie.
  SmallVector<Value> getPlace(int64_t i) {
    return {index(i / rightTiles * kTile), index(i % rightTiles * kTile)};
  }
  Value loadRight(Value word, int64_t i);
  Value multiply(Value x, Value y, Value sum);
  SmallVector<Value> addStep(Value word, ValueRange accumulators);

  ImplicitLocOpBuilder b;
  linalg::GenericOp op;
  linalg::FillOp zeros;
  Value left, right, sums;
  int64_t wordElements;
  int64_t steps; ///< words in the sum
  int64_t leftTiles, rightTiles;
};

} // namespace

Value TileProduct::loadRight(Value word, int64_t i) {
  if (getType(right).getRank() == 2)
    return load(right, {word, index(i * kTile * wordElements)});
  return load(right, {index(i), word, index(0)});
}

Value TileProduct::multiply(Value x, Value y, Value sum) {
  if (getElementTypeOrSelf(x.getType()).isBF16())
    return amx::TileMulFOp::create(b, sum.getType(), x, y, sum);
  auto isUnsigned = [&](unsigned operand) {
    return isa<arith::ExtUIOp>(
        *op.getRegionInputArgs()[operand].getUsers().begin());
  };
  return amx::TileMulIOp::create(b, sum.getType(), x, y, sum, isUnsigned(0),
                                 isUnsigned(1));
}

SmallVector<Value> TileProduct::addStep(Value word, ValueRange accumulators) {
  Value element = arith::MulIOp::create(b, word, index(wordElements));
  SmallVector<Value> lefts, rights, next;
  for (int64_t i = 0; i < leftTiles; ++i)
    lefts.push_back(load(left, {index(i * kTile), element}));
  for (int64_t i = 0; i < rightTiles; ++i)
    rights.push_back(loadRight(word, i));
  for (auto [i, sum] : llvm::enumerate(accumulators))
    next.push_back(multiply(lefts[static_cast<int64_t>(i) / rightTiles],
                            rights[static_cast<int64_t>(i) % rightTiles], sum));
  return next;
}

void TileProduct::lower(RewriterBase &rewriter) {
  SmallVector<Value> accumulators;
  for (int64_t i = 0; i < leftTiles * rightTiles; ++i)
    accumulators.push_back(zeros
                               ? amx::TileZeroOp::create(
                                     b, getTile(getType(sums).getElementType()))
                                     .getResult()
                               : load(sums, getPlace(i)));
  auto loop = scf::ForOp::create(
      b, index(0), index(steps), index(kTile), accumulators,
      [&](OpBuilder &nested, Location, Value word, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(nested.getInsertionBlock(),
                            nested.getInsertionPoint());
        scf::YieldOp::create(b, addStep(word, carried));
      });
  for (auto [i, sum] : llvm::enumerate(loop.getResults()))
    amx::TileStoreOp::create(b, sums, getPlace(static_cast<int64_t>(i)), sum);
  rewriter.eraseOp(op);
  if (zeros)
    rewriter.eraseOp(zeros);
}

namespace {

struct LlamaCPULowerAMXTiles
    : mlir::llama::impl::LlamaCPULowerAMXTilesPassBase<LlamaCPULowerAMXTiles> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](linalg::GenericOp op) {
      if (!op->hasAttr(kAMXTileAttr))
        return;
      rewriter.setInsertionPoint(op);
      TileProduct(rewriter, op).lower(rewriter);
      ++numLowered;
    });
  }
};

} // namespace
