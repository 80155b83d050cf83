//===- LowerAMXTiles.cpp - Products of 32 by 32 to AMX instructions -------===//
//
//   linalg.generic {llama.amx_tile} : 32 weight rows x 32 rows
//
//   =>  4 tiles of sums, loaded
//       for 32 elements at a time: 4 tile loads, 4 tile products
//       4 tiles of sums, stored
//
// Two tiles of weights by two of activations: each tile that is loaded is used
// twice, and the sums stay in registers.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/CPU/TileForAMX.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPULOWERAMXTILESPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

constexpr int64_t kTile = 16;

class TileProduct {
public:
  TileProduct(RewriterBase &rewriter, linalg::GenericOp op)
      : b(op.getLoc(), rewriter), weights(joinPairs(op.getDpsInputs()[0])),
        rows(joinPairs(op.getDpsInputs()[1])), sums(op.getDpsInits()[0]),
        steps(op.getStaticLoopRanges()[2]) {}

  void lower();

private:
  /// [a, b, 2] as [a, 2 b]: tiles have two dimensions.
  Value joinPairs(Value memref) {
    SmallVector<ReassociationIndices> folding = {{0}, {1, 2}};
    return memref::CollapseShapeOp::create(b, memref, folding);
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value load(Value from, Value row, Value column, Type element) {
    auto type = amx::TileType::get(
        {kTile, 64 * 8 / element.getIntOrFloatBitWidth()}, element);
    return amx::TileLoadOp::create(b, type, from, ValueRange{row, column});
  }
  SmallVector<Value> addStep(Value pair, ValueRange accumulators);

  ImplicitLocOpBuilder b;
  Value weights, rows, sums;
  int64_t steps; ///< pairs of elements in the sum
};

} // namespace

SmallVector<Value> TileProduct::addStep(Value pair, ValueRange accumulators) {
  Type bf16 = b.getBF16Type();
  Value element = arith::MulIOp::create(b, pair, index(2));
  SmallVector<Value> left, right, next;
  for (int64_t i = 0; i < 2; ++i) {
    left.push_back(load(weights, index(i * kTile), element, bf16));
    right.push_back(load(rows, pair, index(i * 2 * kTile), bf16));
  }
  for (int64_t i = 0; i < 4; ++i)
    next.push_back(amx::TileMulFOp::create(b, accumulators[i].getType(),
                                           left[i / 2], right[i % 2],
                                           accumulators[i]));
  return next;
}

void TileProduct::lower() {
  SmallVector<Value> accumulators;
  for (int64_t i = 0; i < 4; ++i)
    accumulators.push_back(
        load(sums, index(i / 2 * kTile), index(i % 2 * kTile), b.getF32Type()));
  auto loop = scf::ForOp::create(
      b, index(0), index(steps), index(kTile), accumulators,
      [&](OpBuilder &nested, Location, Value pair, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(nested.getInsertionBlock(),
                            nested.getInsertionPoint());
        scf::YieldOp::create(b, addStep(pair, carried));
      });
  for (int64_t i = 0; i < 4; ++i)
    amx::TileStoreOp::create(
        b, sums, ValueRange{index(i / 2 * kTile), index(i % 2 * kTile)},
        loop.getResult(i));
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
      TileProduct(rewriter, op).lower();
      rewriter.eraseOp(op);
      ++numLowered;
    });
  }
};

} // namespace
