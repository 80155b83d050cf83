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

#include "compiler/CPU/AddByteDots.h"
#include "compiler/CPU/KernelRemarks.h"
#include "compiler/CPU/Passes.h"
#include "dialects/Llama/IR/LlamaTypes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUVECTORIZEQUANTIZEDPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

/// Operands of the product, see Quantized.cpp.
enum Operand : unsigned {
  RowIntegers,
  RowScales,
  RowSums,
  Elements,
  Scales,
  Minimums
};

// Elements of a step that is written out.
constexpr int64_t kStep = 32;

class QuantizedTile {
public:
  QuantizedTile(RewriterBase &rewriter, linalg::GenericOp op, int64_t lanes,
                ByteDots byteDots)
      : b(op.getLoc(), rewriter), op(op), lanes(lanes), byteDots(byteDots),
        type(cast<QuantizedType>(
            op->getAttrOfType<TypeAttr>(kQuantizedAttr).getValue())),
        rows(op.getStaticLoopRanges()[0]), columns(op.getStaticLoopRanges()[1]),
        depth(op.getStaticLoopRanges()[2]),
        isWide(op.getNumDpsInputs() - type.hasMinimum() == 6) {}

  Value vectorize();

private:
  /// A vector of columns: lanes [first, first + count) of a panel.
  struct Slot {
    int64_t panel, first, count;
  };
  SmallVector<Slot> findSlots();

  SmallVector<Value> addGroup(Value group, ValueRange sums);
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
  /// Scales or minimums of a group, f32.
  Value readFactors(Operand operand, const Slot &slot, Value group);
  Value readScalar(Operand operand, int64_t row, Value at);
  Value write(ValueRange sums);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value plus(Value x, int64_t y) {
    return y == 0 ? x : arith::AddIOp::create(b, x, index(y)).getResult();
  }
  Value source(unsigned operand) {
    return op.getDpsInputOperand(operand)->get();
  }
  Value read(unsigned operand, ArrayRef<Value> at, int64_t count) {
    Type element = getElementTypeOrSelf(source(operand).getType());
    Value none = arith::ConstantOp::create(b, b.getZeroAttr(element));
    return vector::TransferReadOp::create(b, VectorType::get(count, element),
                                          source(operand), at, none,
                                          ArrayRef<bool>{true});
  }
  /// Fills up to `count` elements with zeros.
  Value pad(Value vector, int64_t count) {
    auto from = cast<VectorType>(vector.getType());
    if (from.getNumElements() == count)
      return vector;
    auto to = VectorType::get(count, from.getElementType());
    Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(to));
    return vector::InsertStridedSliceOp::create(
        b, vector, zeros, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
  }
  Value splat(Type type, Value scalar) {
    return vector::BroadcastOp::create(b, type, scalar);
  }
  VectorType words() { return VectorType::get(lanes, b.getI32Type()); }
  VectorType floats() { return VectorType::get(lanes, b.getF32Type()); }
  VectorType bytes() { return VectorType::get(4 * lanes, b.getI8Type()); }
  Value constantBytes(int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(bytes(), static_cast<int8_t>(value)));
  }

  ImplicitLocOpBuilder b;
  linalg::GenericOp op;
  int64_t lanes;
  ByteDots byteDots;
  QuantizedType type;
  int64_t rows, columns, depth;
  bool isWide; ///< rows have low bytes, too: the last input
  SmallVector<Slot> slots;
};

} // namespace

SmallVector<QuantizedTile::Slot> QuantizedTile::findSlots() {
  SmallVector<Slot> found;
  int64_t panel = QuantizedType::getPanelRows();
  for (int64_t column = 0; column < columns; column += lanes)
    found.push_back(
        {column / panel, column % panel, std::min(lanes, columns - column)});
  return found;
}

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

Value QuantizedTile::readScalar(Operand operand, int64_t row, Value at) {
  return tensor::ExtractOp::create(b, source(operand),
                                   ValueRange{index(row), at});
}

Value QuantizedTile::readFactors(Operand operand, const Slot &slot,
                                 Value group) {
  Value factors =
      read(operand, {index(slot.panel), group, index(slot.first)}, slot.count);
  return arith::ExtFOp::create(b, floats(), pad(factors, lanes));
}

SmallVector<Value> QuantizedTile::startDots(Value group) {
  // Weights as they are multiplied, less what stands for zero there.
  int64_t zeroPoint = type.getZeroPoint();
  if (type.getBits() == 8 && takesSignedWeights(byteDots))
    zeroPoint -= 128;
  SmallVector<Value> dots;
  for (int64_t row = 0; row < rows; ++row) {
    Value start = arith::ConstantOp::create(
        b, b.getI32IntegerAttr(static_cast<int32_t>(-zeroPoint)));
    if (zeroPoint != 0)
      start = arith::MulIOp::create(b, readScalar(RowSums, row, group), start);
    dots.append(slots.size(), splat(words(), start));
  }
  if (isWide) // dots of high bytes follow those of low ones
    dots.append(rows * slots.size(),
                arith::ConstantOp::create(b, b.getZeroAttr(words())));
  return dots;
}

SmallVector<Value> QuantizedTile::joinDots(ValueRange dots) {
  if (!isWide)
    return dots;
  Value byte = arith::ConstantOp::create(
      b, DenseElementsAttr::get(words(), static_cast<int32_t>(8)));
  SmallVector<Value> result;
  for (auto [low, high] : llvm::zip_equal(dots.take_front(dots.size() / 2),
                                          dots.drop_front(dots.size() / 2))) {
    Value up = arith::ShLIOp::create(b, high, byte);
    result.push_back(arith::AddIOp::create(b, up, low));
  }
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
          bytes.insert(bytes.begin(),
                       readRow(op.getNumDpsInputs() - 1, row, at, four));
        for (auto [number, x] : llvm::enumerate(bytes))
          for (size_t slot = 0; slot < slots.size(); ++slot) {
            Value &sum = result[(number * rows + row) * slots.size() + slot];
            sum = add(sum, weights[slot][part], x);
          }
      }
  }
  return result;
}

SmallVector<Value> QuantizedTile::addGroup(Value group, ValueRange sums) {
  Value first = arith::MulIOp::create(b, group, index(type.getGroup()));
  SmallVector<Value> dots = startDots(group);
  if (type.getGroup() == kStep) {
    dots = addStep(first, dots);
  } else {
    auto loop = scf::ForOp::create(
        b, index(0), index(type.getGroup()), index(kStep), dots,
        [&](OpBuilder &nested, Location, Value at, ValueRange carried) {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPoint(nested.getInsertionBlock(),
                              nested.getInsertionPoint());
          Value from = arith::AddIOp::create(b, first, at);
          scf::YieldOp::create(b, addStep(from, carried));
        });
    dots.assign(loop.result_begin(), loop.result_end());
  }
  dots = joinDots(dots);
  SmallVector<Value> result(sums), rowScales, rowSums;
  for (int64_t row = 0; row < rows; ++row) {
    Value scale = readScalar(RowScales, row, group);
    rowScales.push_back(splat(floats(), scale));
    if (type.hasMinimum()) {
      Value sum = arith::SIToFPOp::create(b, b.getF32Type(),
                                          readScalar(RowSums, row, group));
      rowSums.push_back(
          splat(floats(), arith::MulFOp::create(b, scale, sum).getResult()));
    }
  }
  for (auto [i, slot] : llvm::enumerate(slots)) {
    Value scales = readFactors(Scales, slot, group);
    Value minimums =
        type.hasMinimum() ? readFactors(Minimums, slot, group) : Value();
    for (int64_t row = 0; row < rows; ++row) {
      Value &sum = result[row * slots.size() + i];
      Value factor = arith::MulFOp::create(b, scales, rowScales[row]);
      Value dots32 =
          arith::SIToFPOp::create(b, floats(), dots[row * slots.size() + i]);
      sum = math::FmaOp::create(b, dots32, factor, sum);
      if (minimums)
        sum = math::FmaOp::create(b, minimums, rowSums[row], sum);
    }
  }
  return result;
}

Value QuantizedTile::write(ValueRange sums) {
  Value into = op.getDpsInits()[0];
  if (auto fill = into.getDefiningOp<linalg::FillOp>())
    into = fill.getDpsInits()[0];
  for (int64_t row = 0; row < rows; ++row)
    for (auto [i, slot] : llvm::enumerate(slots)) {
      Value sum = sums[row * slots.size() + i];
      if (slot.count < lanes)
        sum = vector::ExtractStridedSliceOp::create(
            b, sum, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{slot.count},
            ArrayRef<int64_t>{1});
      Value column =
          index(slot.panel * QuantizedType::getPanelRows() + slot.first);
      into = vector::TransferWriteOp::create(b, sum, into,
                                             ValueRange{index(row), column},
                                             ArrayRef<bool>{true})
                 .getResult();
    }
  return into;
}

Value QuantizedTile::vectorize() {
  slots = findSlots();
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(floats()));
  SmallVector<Value> zeros(rows * slots.size(), zero);
  auto loop = scf::ForOp::create(
      b, index(0), index(depth / type.getGroup()), index(1), zeros,
      [&](OpBuilder &nested, Location, Value group, ValueRange sums) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(nested.getInsertionBlock(),
                            nested.getInsertionPoint());
        scf::YieldOp::create(b, addGroup(group, sums));
      });
  return write(loop.getResults());
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
      if (dots == ByteDots::VPMADDWD)
        remarkMissed(op, "vpdpbusd", "the target has no VNNI");
      remarkTile(op, mlir::llama::getName(dots));
      rewriter.setInsertionPoint(op);
      QuantizedTile tile(rewriter, op, lanes, dots);
      rewriter.replaceOp(op, tile.vectorize());
      ++numVectorized;
    });
  }
};

} // namespace
