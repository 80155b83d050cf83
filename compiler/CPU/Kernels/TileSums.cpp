//===- TileSums.cpp - From vectors of partial sums to a tile --------------===//

#include "compiler/CPU/Kernels/TileSums.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;

/// Lanes of x, then of y: of every group of `width` lanes the first half, or
/// the second.
static SmallVector<int64_t> takeHalves(int64_t lanes, int64_t width,
                                       bool second) {
  SmallVector<int64_t> taken;
  for (int64_t group = 0; group < lanes; group += width)
    for (int64_t lane = 0; lane < width / 2; ++lane)
      taken.push_back(group + lane + (second ? width / 2 : 0));
  return taken;
}

/// Adds the lanes of each vector, halves to halves: one vector of as many sums.
/// Two vectors whose halves are added fill one, so 16 of 16 lanes take 15
/// additions. `vectors` are as many as a vector has lanes, at most.
static Value addLanes(ImplicitLocOpBuilder &b, SmallVector<Value> vectors) {
  size_t count = vectors.size();
  int64_t lanes = cast<VectorType>(vectors[0].getType()).getNumElements();
  for (int64_t width = lanes; width > 1; width /= 2) {
    bool isLast = vectors.size() == 1; // has no partner: gets shorter
    if (!isLast && vectors.size() % 2 != 0)
      vectors.push_back(vectors.back());
    int64_t total = cast<VectorType>(vectors[0].getType()).getNumElements();
    SmallVector<Value> next;
    for (size_t i = 0; i < vectors.size(); i += 2) {
      Value x = vectors[i], y = vectors[isLast ? i : i + 1];
      int64_t from = isLast ? total : 2 * total;
      Value low =
          vector::ShuffleOp::create(b, x, y, takeHalves(from, width, false));
      Value high =
          vector::ShuffleOp::create(b, x, y, takeHalves(from, width, true));
      next.push_back(arith::AddFOp::create(b, low, high));
    }
    vectors = next;
  }
  SmallVector<int64_t> taken(count);
  std::iota(taken.begin(), taken.end(), 0);
  return vector::ShuffleOp::create(b, vectors[0], vectors[0], taken);
}

static Value writeTile(ImplicitLocOpBuilder &b, linalg::GenericOp product,
                       ValueRange sums) {
  SmallVector<int64_t> shape = product.getStaticLoopRanges();
  shape.pop_back(); // the sum's
  int64_t count = sums.size();
  int64_t lanes = cast<VectorType>(sums[0].getType()).getNumElements();
  Value flat = arith::ConstantOp::create(
      b, b.getZeroAttr(VectorType::get(count, b.getF32Type())));
  for (int64_t at = 0; at < count; at += lanes)
    flat = vector::InsertStridedSliceOp::create(
        b,
        addLanes(
            b, SmallVector<Value>(sums.slice(at, std::min(lanes, count - at)))),
        flat, ArrayRef<int64_t>{at}, ArrayRef<int64_t>{1});
  Value tile = vector::ShapeCastOp::create(
      b, VectorType::get(shape, b.getF32Type()), flat);
  Value into = product.getDpsInits()[0];
  if (auto fill = into.getDefiningOp<linalg::FillOp>())
    into = fill.getDpsInits()[0];
  Value zero = arith::ConstantIndexOp::create(b, 0);
  return vector::TransferWriteOp::create(b, tile, into, ValueRange{zero, zero},
                                         ArrayRef<bool>{true, true})
      .getResult();
}

Value llama::sumTile(
    ImplicitLocOpBuilder &b, linalg::GenericOp product, int64_t lanes,
    int64_t step,
    llvm::function_ref<SmallVector<Value>(Value at, ValueRange sums)> addStep) {
  SmallVector<int64_t> extents = product.getStaticLoopRanges();
  Value zero = arith::ConstantOp::create(
      b, b.getZeroAttr(VectorType::get(lanes, b.getF32Type())));
  SmallVector<Value> zeros(extents[0] * extents[1], zero);
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  };
  auto loop = scf::ForOp::create(
      b, index(0), index(extents[2]), index(step), zeros,
      [&](OpBuilder &nested, Location, Value at, ValueRange sums) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(nested.getInsertionBlock(),
                            nested.getInsertionPoint());
        scf::YieldOp::create(b, addStep(at, sums));
      });
  return writeTile(b, product, loop.getResults());
}
