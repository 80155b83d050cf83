//===- VectorizeQuantized.cpp - Products of integers to vectors -----------===//
//
//   linalg.generic {llama.quantized} : 4 rows x 8 matrix rows
//
//   =>  for steps of whole groups and whole vectors of 64 bytes
//         dots of 4 bytes: vector<16xi32>, exact
//         sums += scale of the row * scale of the matrix * dots
//
// Integers are stored unsigned, rows are signed:
//
//   sum (w - zero) x  =  sum w x  -  zero sum x
//
// and the last term, the same for every matrix row, is what the dots start
// with. With a minimum there is no zero point, and each group of the matrix
// adds
//
//   minimum * sum of the row's group
//
// to some lane once the dots are done, as many groups at a time as there are
// lanes. Rows of 16 bits have dots of their high bytes, times 256, on top of
// which come those of their low bytes: 32 bits hold the products of a group.
// One lane adds the same products in the same order whatever the tile is (P4).
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/CPU/TileSums.h"
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

// Elements that meet one vector register of 512 bits.
constexpr int64_t kPiece = 64;

class QuantizedTile {
public:
  QuantizedTile(RewriterBase &rewriter, linalg::GenericOp op, int64_t lanes,
                bool vnni)
      : b(op.getLoc(), rewriter), op(op), lanes(lanes), vnni(vnni),
        type(cast<QuantizedType>(
            op->getAttrOfType<TypeAttr>(kQuantizedAttr).getValue())),
        isWide(op.getNumDpsInputs() % 2 != 0),
        rows(op.getStaticLoopRanges()[0]), columns(op.getStaticLoopRanges()[1]),
        step(std::max<int64_t>(type.getGroup(), type.getVectorElements())) {}

  Value vectorize();

private:
  using Pieces = SmallVector<Value>; // vectors of 4 * lanes bytes

  /// What a row brings to a step.
  struct RowPieces {
    Pieces high, low; ///< the second if rows are wide
    Value start;      ///< of the dots: what the zero point adds
    Value scale;
  };

  SmallVector<Value> addStep(Value at, ValueRange sums);
  /// Adds the dots of elements [begin, end) of a step, all of one scale or, for
  /// groups of 32, of two that take turns.
  void addScaled(Value at, int64_t begin, int64_t end,
                 MutableArrayRef<Value> sums);
  Pieces readRow(unsigned operand, int64_t row, Value at, int64_t begin,
                 int64_t end);
  Pieces readColumn(int64_t column, Value at, int64_t begin, int64_t end);
  /// The scale of the element at `at` + begin, in every lane.
  Value readScale(unsigned operand, int64_t row, Value at, int64_t begin);
  Value dot(Value sum, Value unsignedBytes, Value signedBytes);
  /// What the dots of a row of these pieces start with.
  Value getStart(const Pieces &pieces);
  /// The products of a row with a column, four by four.
  Value dots(const Pieces &weights, const RowPieces &row);
  /// 256 times as much.
  Value shiftUp(Value integers) {
    Value byte = arith::ConstantOp::create(
        b, DenseElementsAttr::get(words(), static_cast<int32_t>(8)));
    return arith::ShLIOp::create(b, integers, byte);
  }

  SmallVector<Value> addMinimums(ValueRange sums);
  /// Of the groups [at, at + count), as many as lanes at most.
  SmallVector<Value> addMinimums(Value at, int64_t count, ValueRange sums);
  /// Numbers [at, at + count) of an operand, zeros in the other lanes.
  Value readLanes(unsigned operand, int64_t row, Value at, int64_t count);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value read(unsigned operand, int64_t row, Value column, int64_t count) {
    Value tensor = op.getDpsInputOperand(operand)->get();
    Type element = cast<ShapedType>(tensor.getType()).getElementType();
    Value none = arith::ConstantOp::create(b, b.getZeroAttr(element));
    return vector::TransferReadOp::create(
        b, VectorType::get(count, element), tensor,
        ValueRange{index(row), column}, none, ArrayRef<bool>{true});
  }
  Value plus(Value x, int64_t y) {
    return y == 0 ? x : arith::AddIOp::create(b, x, index(y)).getResult();
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
  bool vnni;
  QuantizedType type;
  bool isWide; ///< rows have low bytes, too: the last input
  int64_t rows, columns, step;
};

} // namespace

QuantizedTile::Pieces QuantizedTile::readRow(unsigned operand, int64_t row,
                                             Value at, int64_t begin,
                                             int64_t end) {
  Pieces pieces;
  for (int64_t k = begin; k < end; k += 4 * lanes)
    pieces.push_back(read(operand, row, plus(at, k), 4 * lanes));
  return pieces;
}

QuantizedTile::Pieces QuantizedTile::readColumn(int64_t column, Value at,
                                                int64_t begin, int64_t end) {
  Pieces pieces;
  if (type.getBits() == 8) {
    for (int64_t k = begin; k < end; k += 4 * lanes)
      pieces.push_back(read(2, column, plus(at, k), 4 * lanes));
    return pieces;
  }
  Value first = arith::DivUIOp::create(b, at, index(2));
  for (int64_t k = begin; k < end; k += 4 * lanes) {
    int64_t byte = k / 128 * 64 + k % 64;
    Value both = read(2, column, plus(first, byte), 4 * lanes);
    if (k / 64 % 2 != 0)
      both = arith::ShRUIOp::create(b, both, constantBytes(4));
    else
      both = arith::AndIOp::create(b, both, constantBytes(15));
    pieces.push_back(both);
  }
  return pieces;
}

Value QuantizedTile::readScale(unsigned operand, int64_t row, Value at,
                               int64_t begin) {
  int64_t group = type.getGroup();
  Value first = arith::DivUIOp::create(b, at, index(group));
  int64_t count = group == 32 ? 2 : 1;
  Value scales = read(operand, row, plus(first, begin / group), count);
  auto wide = VectorType::get(count, b.getF32Type());
  if (scales.getType() != wide)
    scales = arith::ExtFOp::create(b, wide, scales);
  SmallVector<int64_t> turns;
  for (int64_t lane = 0; lane < lanes; ++lane)
    turns.push_back(lane % count);
  return vector::ShuffleOp::create(b, scales, scales, turns);
}

/// sum[i] + the products of bytes 4 i .. 4 i + 3.
Value QuantizedTile::dot(Value sum, Value unsignedBytes, Value signedBytes) {
  if (vnni) {
    StringRef name = lanes == 16 ? "llvm.x86.avx512.vpdpbusd.512"
                                 : "llvm.x86.avx512.vpdpbusd.256";
    return LLVM::CallIntrinsicOp::create(
               b, words(), b.getStringAttr(name),
               ValueRange{sum, unsignedBytes, signedBytes})
        .getResult(0);
  }
  auto wide = VectorType::get(4 * lanes, b.getI32Type());
  Value products =
      arith::MulIOp::create(b, arith::ExtUIOp::create(b, wide, unsignedBytes),
                            arith::ExtSIOp::create(b, wide, signedBytes));
  for (int i = 0; i < 2; ++i) {
    auto parts = vector::DeinterleaveOp::create(b, products);
    products = arith::AddIOp::create(b, parts.getRes1(), parts.getRes2());
  }
  return arith::AddIOp::create(b, sum, products);
}

Value QuantizedTile::getStart(const Pieces &pieces) {
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(words()));
  if (type.hasMinimum())
    return zero;
  Value zeroPoint = constantBytes(type.getZeroPoint());
  Value shift = zero;
  for (Value piece : pieces)
    shift = dot(shift, zeroPoint, piece);
  return arith::SubIOp::create(b, zero, shift);
}

Value QuantizedTile::dots(const Pieces &weights, const RowPieces &row) {
  auto addDots = [&](Value sum, const Pieces &pieces) {
    for (auto [w, x] : llvm::zip_equal(weights, pieces))
      sum = dot(sum, w, x);
    return sum;
  };
  if (!isWide)
    return addDots(row.start, row.high);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(words()));
  Value high = shiftUp(addDots(zero, row.high));
  return addDots(arith::AddIOp::create(b, high, row.start), row.low);
}

void QuantizedTile::addScaled(Value at, int64_t begin, int64_t end,
                              MutableArrayRef<Value> sums) {
  SmallVector<RowPieces> inputs;
  for (int64_t row = 0; row < rows; ++row) {
    RowPieces pieces;
    pieces.high = readRow(0, row, at, begin, end);
    pieces.start = getStart(pieces.high);
    if (isWide) {
      pieces.low = readRow(op.getNumDpsInputs() - 1, row, at, begin, end);
      pieces.start =
          arith::AddIOp::create(b, shiftUp(pieces.start), getStart(pieces.low));
    }
    pieces.scale = readScale(1, row, at, begin);
    inputs.push_back(std::move(pieces));
  }
  for (int64_t column = 0; column < columns; ++column) {
    Pieces weights = readColumn(column, at, begin, end);
    Value columnScale = readScale(3, column, at, begin);
    for (int64_t row = 0; row < rows; ++row) {
      Value products = dots(weights, inputs[row]);
      Value scaled = arith::MulFOp::create(
          b, arith::SIToFPOp::create(b, floats(), products), inputs[row].scale);
      Value &sum = sums[row * columns + column];
      sum = math::FmaOp::create(b, scaled, columnScale, sum);
    }
  }
}

SmallVector<Value> QuantizedTile::addStep(Value at, ValueRange sums) {
  SmallVector<Value> result(sums);
  int64_t width = std::max<int64_t>(kPiece, type.getGroup());
  for (int64_t begin = 0; begin < step; begin += width)
    addScaled(at, begin, begin + width, result);
  return result;
}

Value QuantizedTile::readLanes(unsigned operand, int64_t row, Value at,
                               int64_t count) {
  Value values = read(operand, row, at, count);
  auto wide = VectorType::get(count, b.getF32Type());
  if (values.getType() != wide)
    values = arith::ExtFOp::create(b, wide, values);
  if (count == lanes)
    return values;
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(floats()));
  return vector::InsertStridedSliceOp::create(
      b, values, zeros, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
}

SmallVector<Value> QuantizedTile::addMinimums(Value at, int64_t count,
                                              ValueRange sums) {
  SmallVector<Value> rowSums, result(sums);
  for (int64_t row = 0; row < rows; ++row)
    rowSums.push_back(readLanes(4, row, at, count));
  for (int64_t column = 0; column < columns; ++column) {
    Value minimums = readLanes(5, column, at, count);
    for (int64_t row = 0; row < rows; ++row) {
      Value &sum = result[row * columns + column];
      sum = math::FmaOp::create(b, minimums, rowSums[row], sum);
    }
  }
  return result;
}

SmallVector<Value> QuantizedTile::addMinimums(ValueRange sums) {
  auto minimums = cast<ShapedType>(op.getDpsInputOperand(5)->get().getType());
  int64_t groups = minimums.getDimSize(1), rest = groups % lanes;
  SmallVector<Value> result(sums);
  if (groups > rest) {
    auto loop = scf::ForOp::create(
        b, index(0), index(groups - rest), index(lanes), result,
        [&](OpBuilder &nested, Location, Value at, ValueRange carried) {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPoint(nested.getInsertionBlock(),
                              nested.getInsertionPoint());
          scf::YieldOp::create(b, addMinimums(at, lanes, carried));
        });
    result.assign(loop.result_begin(), loop.result_end());
  }
  return rest == 0 ? result : addMinimums(index(groups - rest), rest, result);
}

Value QuantizedTile::vectorize() {
  auto addStepAt = [&](Value at, ValueRange sums) { return addStep(at, sums); };
  if (!type.hasMinimum())
    return sumTile(b, op, lanes, step, addStepAt);
  return sumTile(b, op, lanes, step, addStepAt,
                 [&](ValueRange sums) { return addMinimums(sums); });
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
      QuantizedTile tile(rewriter, op, lanes, vnni);
      rewriter.replaceOp(op, tile.vectorize());
      ++numVectorized;
    });
  }
};

} // namespace
