//===- VectorizeQuantized.cpp - Products of integers to vectors -----------===//
//
//   linalg.generic {llama.quantized} : 4 rows x 32 matrix rows
//
//   =>  for groups
//         dots of a group, exact: for each 4 elements k .. k + 3
//           lane n += the 4 bytes of matrix row n times those of the row
//         sums += scales of the group, one for each lane, * dots
//
// A lane is a matrix row, as !llama.quantized stores them: 16 side by side, 4
// elements at a time. So nothing is added over lanes, and scales are applied
// once for a group, not for every vector. The 4 bytes of the row are the same
// in all lanes.
//
// Integers are stored unsigned, rows are signed:
//
//   sum (w - zero) x  =  sum w x  -  zero sum x
//
// and the last term, the same for every matrix row, is what the dots start
// with. With a minimum there is no zero point; each group adds minimum * sum x.
//
// Rows of 16 bits have two dots, 256 times that of their high bytes and that of
// their low ones: 32 bits hold the products of a group.
//
// One lane adds the same groups in the same order whatever the tile is (P4).
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/AddByteDots.h"
#include "compiler/CPU/Kernels/QuantizedProduct.h"
#include "compiler/CPU/Kernels/VectorizeQuantizedAMX.h"
#include "compiler/CPU/Passes.h"
#include "compiler/CPU/Schedule/KernelRemarks.h"
#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUVECTORIZEQUANTIZEDPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

// Elements of a step that is written out.
constexpr int64_t kStep = 32;

class QuantizedTile : QuantizedProduct {
public:
  QuantizedTile(RewriterBase &rewriter, linalg::GenericOp op, int64_t lanes,
                ByteDots byteDots)
      : QuantizedProduct(rewriter, op, lanes), byteDots(byteDots),
        slots(findSlots()) {}

  Value vectorize();

private:
  SmallVector<Value> addGroups(Value group, ValueRange sums);
  SmallVector<Value> startDots(Value group);
  /// Adds the products of elements at .. at + kStep - 1.
  SmallVector<Value> addStep(Value at, ValueRange dots);
  SmallVector<Value>
  addDots(Value at, ValueRange dots,
          llvm::function_ref<Value(Value sum, Value weights, Value row)> add);
  /// One integer for each sum.
  SmallVector<Value> joinDots(ValueRange dots);
  /// Vectors of 4 elements of every lane, as they are multiplied.
  SmallVector<Value> readLine(const Slot &slot, Value line);
  /// Elements at + 4 i .. of a row, in every lane.
  Value readRow(unsigned operand, int64_t row, Value at, int64_t i);
  Value writeSums(ValueRange sums);

  ByteDots byteDots;
  SmallVector<Slot> slots;
};

} // namespace

SmallVector<Value> QuantizedTile::readLine(const Slot &slot, Value line) {
  Value stored =
      pad(read(Elements, {index(slot.panel), line, index(4 * slot.first)},
               4 * slot.count),
          4 * lanes);
  if (type.getBits() == 4)
    return {arith::AndIOp::create(b, stored, constantBytes(15)),
            arith::ShRUIOp::create(b, stored, constantBytes(4))};
  if (takesSignedWeights(byteDots))
    stored = arith::XOrIOp::create(b, stored, constantBytes(-128));
  return {stored};
}

Value QuantizedTile::readRow(unsigned operand, int64_t row, Value at,
                             int64_t i) {
  Value four = read(operand, {index(row), plus(at, 4 * i)}, 4);
  auto word = VectorType::get(1, b.getI32Type());
  Value all = splat(words(), vector::BitCastOp::create(b, word, four));
  return vector::BitCastOp::create(b, bytes(), all);
}

SmallVector<Value> QuantizedTile::startDots(Value group) {
  // Weights as they are multiplied, less what stands for zero there.
  int64_t zeroPoint = type.getZeroPoint();
  if (type.getBits() == 8 && takesSignedWeights(byteDots))
    zeroPoint -= 128;
  SmallVector<Value> dots;
  for (int64_t row = 0; row < rows; ++row)
    dots.append(slots.size(), readStart(index(row), group, zeroPoint));
  if (isWide) // dots of high bytes follow those of low ones
    dots.append(rows * slots.size(),
                arith::ConstantOp::create(b, b.getZeroAttr(words())));
  return dots;
}

SmallVector<Value> QuantizedTile::joinDots(ValueRange dots) {
  if (!isWide)
    return dots;
  SmallVector<Value> result;
  for (auto [low, high] : llvm::zip_equal(dots.take_front(dots.size() / 2),
                                          dots.drop_front(dots.size() / 2)))
    result.push_back(joinBytes(low, high));
  return result;
}

SmallVector<Value> QuantizedTile::addStep(Value at, ValueRange dots) {
  if (!addsInHalves(byteDots, type.getBits()))
    return addDots(at, dots, [&](Value sum, Value weights, Value row) {
      return addByteDots(b, byteDots, sum, weights, row);
    });
  auto halves = VectorType::get(2 * lanes, b.getI16Type());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(halves));
  SmallVector<Value> sums =
      addDots(at, SmallVector<Value>(dots.size(), zeros),
              [&](Value sum, Value weights, Value row) {
                return addByteProducts(b, sum, weights, row);
              });
  for (auto [sum, dot] : llvm::zip_equal(sums, dots))
    sum = addHalves(b, dot, sum);
  return sums;
}

SmallVector<Value> QuantizedTile::addDots(
    Value at, ValueRange dots,
    llvm::function_ref<Value(Value sum, Value weights, Value row)> add) {
  SmallVector<Value> result(dots);
  Value firstLine = arith::DivUIOp::create(b, at, index(type.getLineColumns()));
  for (int64_t i = 0; i < kStep / type.getLineColumns(); ++i) {
    SmallVector<SmallVector<Value>> weights;
    for (const Slot &slot : slots)
      weights.push_back(readLine(slot, plus(firstLine, i)));
    for (size_t part = 0; part < weights[0].size(); ++part)
      for (int64_t row = 0; row < rows; ++row) {
        int64_t four = i * int64_t(weights[0].size()) + int64_t(part);
        SmallVector<Value> bytes = {readRow(RowIntegers, row, at, four)};
        if (isWide)
          bytes.insert(bytes.begin(), readRow(getLowBytes(), row, at, four));
        for (auto [number, x] : llvm::enumerate(bytes))
          for (size_t slot = 0; slot < slots.size(); ++slot) {
            Value &sum = result[(number * rows + row) * slots.size() + slot];
            sum = add(sum, weights[slot][part], x);
          }
      }
  }
  return result;
}

SmallVector<Value> QuantizedTile::addGroups(Value group, ValueRange sums) {
  Value first = arith::MulIOp::create(b, group, index(type.getGroup()));
  SmallVector<Value> dots = startDots(group);
  if (type.getGroup() == kStep)
    dots = addStep(first, dots);
  else
    dots = loop(type.getGroup(), kStep, dots, [&](Value at, ValueRange dots) {
      return addStep(arith::AddIOp::create(b, first, at), dots);
    });
  dots = joinDots(dots);
  SmallVector<RowFactors> rowFactors;
  for (int64_t row = 0; row < rows; ++row)
    rowFactors.push_back(readRowFactors(index(row), group));
  SmallVector<Value> result(sums);
  for (auto [i, slot] : llvm::enumerate(slots)) {
    GroupFactors factors = readGroupFactors(slot, group);
    for (int64_t row = 0; row < rows; ++row) {
      Value &sum = result[row * slots.size() + i];
      sum =
          addGroup(sum, dots[row * slots.size() + i], factors, rowFactors[row]);
    }
  }
  return result;
}

Value QuantizedTile::writeSums(ValueRange sums) {
  Value into = getResultPlace();
  for (int64_t row = 0; row < rows; ++row)
    for (auto [i, slot] : llvm::enumerate(slots)) {
      Value sum = sums[row * slots.size() + i];
      if (slot.count < lanes)
        sum = vector::ExtractStridedSliceOp::create(
            b, sum, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{slot.count},
            ArrayRef<int64_t>{1});
      Value column =
          index(slot.panel * QuantizedType::getPanelRows() + slot.first);
      into = write(sum, into, {index(row), column});
    }
  return into;
}

Value QuantizedTile::vectorize() {
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(floats()));
  SmallVector<Value> zeros(rows * slots.size(), zero);
  return writeSums(loop(
      depth / type.getGroup(), 1, zeros,
      [&](Value group, ValueRange sums) { return addGroups(group, sums); }));
}

namespace {

struct LlamaCPUVectorizeQuantized
    : mlir::llama::impl::LlamaCPUVectorizeQuantizedPassBase<
          LlamaCPUVectorizeQuantized> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](linalg::GenericOp op) {
      if (!op->hasAttr(kQuantizedAttr) || op.hasDynamicShape())
        return;
      rewriter.setInsertionPoint(op);
      ++numVectorized;
      if (amx && fitsAMXTiles(op)) {
        remarkTile(op, "amx");
        rewriter.replaceOp(op, vectorizeQuantizedAMX(rewriter, op));
        return;
      }
      if (dots == ByteDots::VPMADDWD)
        remarkMissed(op, "vpdpbusd", "the target has no VNNI");
      remarkTile(op, mlir::llama::getName(dots));
      QuantizedTile tile(rewriter, op, lanes, dots);
      rewriter.replaceOp(op, tile.vectorize());
    });
  }
};

} // namespace
