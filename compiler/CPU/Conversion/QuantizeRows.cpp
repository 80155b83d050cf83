//===- QuantizeRows.cpp - Rows of activations to integers with scales -----===//
//
//   rows     =>  forall row, for group:  scale = max |x| / 127,
//                                        q = round(x / scale), sum of q
//
// The sums of groups are what a zero point or a minimum multiplies:
//
//   sum (w - zero) q           =  sum w q  -  zero sum q
//   sum (scale w + minimum) q  =  scale sum w q  +  minimum sum q
//
// Rows of 16 bits are two of bytes, q = 256 high + low, for products of bytes.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Conversion/Lowerings.h"

#include "dialects/Kernel/IR/KernelOps.h"

using namespace mlir;
using namespace mlir::llama;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Elements [at, at + count) of a row, f32, of which `present` are there; zeros
/// after them.
static Value readFloats(RowBuilder &b, Value row, Value at, int64_t count,
                        int64_t present) {
  auto type = VectorType::get(count, b.getF32Type());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
  Type element = getElementTypeOrSelf(row.getType());
  int64_t length = std::min(count, present);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  Value values = vector::TransferReadOp::create(
      b, VectorType::get(length, element), row, at, zero, ArrayRef<bool>{true});
  values = b.convertFloat(values, VectorType::get(length, b.getF32Type()));
  if (length == count)
    return values;
  return vector::InsertStridedSliceOp::create(
      b, values, zeros, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
}

namespace {

/// What a group of a row becomes.
struct QuantizedGroup {
  Value integers; ///< i8; the high bytes of wide ones
  Value low;      ///< their low bytes, i8; or null
  Value scale;    ///< f32
  Value sum;      ///< of the integers, i32
};

} // namespace

/// The bytes of integers that have two: 256 high + low, low from -128 to 127.
static std::pair<Value, Value> splitBytes(RowBuilder &b, Value wide) {
  auto type = cast<VectorType>(wide.getType());
  auto splat = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, value));
  };
  Value high = arith::ShRSIOp::create(
      b, arith::AddIOp::create(b, wide, splat(128)).getResult(), splat(8));
  Value low = arith::SubIOp::create(
      b, wide, arith::ShLIOp::create(b, high, splat(8)).getResult());
  return {high, low};
}

static QuantizedGroup quantizeGroup(RowBuilder &b, Value values, bool isWide) {
  auto type = cast<VectorType>(values.getType());
  auto splat = [&](Value scalar) -> Value {
    return vector::BroadcastOp::create(b, type, scalar);
  };
  Value largest = vector::ReductionOp::create(
      b, vector::CombiningKind::MAXNUMF,
      math::AbsFOp::create(b, values).getResult(), arith::FastMathFlags::nnan);
  // The high byte is at most 127.
  Value limit = b.f32(isWide ? 127.0 * 256.0 : 127.0);
  Value scale = arith::DivFOp::create(b, largest, limit);
  Value isZero =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, largest, b.f32(0.0));
  Value inverse = arith::SelectOp::create(
      b, isZero, b.f32(0.0), arith::DivFOp::create(b, limit, largest));
  Value scaled = arith::MulFOp::create(b, values, splat(inverse));
  Value rounded = math::RoundEvenOp::create(b, scaled);
  Value wide = arith::FPToSIOp::create(
      b, VectorType::get(type.getShape(), b.getI32Type()), rounded);
  auto truncate = [&](Value integers) -> Value {
    return arith::TruncIOp::create(
        b, VectorType::get(type.getShape(), b.getI8Type()), integers);
  };
  Value sum = vector::ReductionOp::create(b, vector::CombiningKind::ADD, wide);
  if (!isWide)
    return {truncate(wide), Value(), scale, sum};
  auto [high, low] = splitBytes(b, wide);
  return {truncate(high), truncate(low), scale, sum};
}

/// Quantizes one row into integers, scales, sums and, if there is a fourth,
/// low bytes.
static SmallVector<Value> quantizeRow(RowBuilder &b, Value row,
                                      QuantizedType type, ValueRange into) {
  bool isWide = into.size() == 4;
  int64_t columns = cast<RankedTensorType>(row.getType()).getDimSize(0);
  int64_t group = type.getGroup(), whole = columns / group;
  auto quantize = [&](RowBuilder &b, Value number, ValueRange carried,
                      int64_t present) {
    Value at = arith::MulIOp::create(b, number, b.index(group));
    QuantizedGroup quantized =
        quantizeGroup(b, readFloats(b, row, at, group, present), isWide);
    auto write = [&](Value bytes, Value into) {
      return vector::TransferWriteOp::create(b, bytes, into, ValueRange{at},
                                             ArrayRef<bool>{true})
          .getResult();
    };
    SmallVector<Value> next = {
        write(quantized.integers, carried[0]),
        tensor::InsertOp::create(b, quantized.scale, carried[1], number),
        tensor::InsertOp::create(b, quantized.sum, carried[2], number)};
    if (isWide)
      next.push_back(write(quantized.low, carried[3]));
    return next;
  };
  SmallVector<Value> carried(into);
  if (whole > 0)
    carried = b.loop(b.index(whole), carried,
                     [&](RowBuilder &b, Value number, ValueRange carried) {
                       return quantize(b, number, carried, group);
                     });
  if (columns % group != 0)
    carried = quantize(b, b.index(whole), carried, columns % group);
  return carried;
}

LinearInput::LinearInput(RowBuilder &b, Value rows, Operation *user)
    : b(b), rows(rows), user(user) {
  auto bits = user->getParentOfType<ModuleOp>()->getAttrOfType<IntegerAttr>(
      kRowBitsAttr);
  isWide = bits && bits.getInt() == 16;
}

const QuantizedRows &LinearInput::getQuantized(QuantizedType type) {
  if (quantized.integers && group == type.getGroup())
    return quantized;
  group = type.getGroup();
  int64_t columns = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  PanelLayout layout{getElementFormat(type)};
  int64_t padded = layout.getPaddedColumns(columns);
  int64_t count = layout.getGroups(columns);
  SmallVector<Value> inits = {b.emptyRows(rows, padded, b.getI8Type()),
                              b.emptyRows(rows, count, b.getF32Type()),
                              b.emptyRows(rows, count, b.getI32Type())};
  SmallVector<int64_t> widths = {padded, count, count};
  if (isWide) {
    inits.push_back(b.emptyRows(rows, padded, b.getI8Type()));
    widths.push_back(padded);
  }
  auto loop = scf::ForallOp::create(
      b, ArrayRef<OpFoldResult>{b.rowCount(rows)}, inits,
      /*mapping=*/std::nullopt,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        RowBuilder b(loc, nested);
        Value row = arguments.front();
        SmallVector<OpFoldResult> at = {row, b.getIndexAttr(0)};
        SmallVector<Value> into;
        for (auto [shared, width] :
             llvm::zip_equal(arguments.drop_front(), widths))
          into.push_back(b.slice(shared, at, {1, width}, 1));
        Value from = b.slice(rows, at, {1, columns}, 1);
        SmallVector<Value> results = quantizeRow(b, from, type, into);
        auto terminator = scf::InParallelOp::create(b);
        b.setInsertionPointToStart(terminator.getBody());
        SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
        for (auto [result, shared, width] :
             llvm::zip_equal(results, arguments.drop_front(), widths))
          tensor::ParallelInsertSliceOp::create(
              b, result, shared, at,
              SmallVector<OpFoldResult>{b.getIndexAttr(1),
                                        b.getIndexAttr(width)},
              strides);
      });
  quantized = {loop.getResult(0), loop.getResult(1), loop.getResult(2),
               isWide ? loop.getResult(3) : Value()};
  return quantized;
}
