//===- Quantized.cpp - Products of integers with scales -------------------===//
//
//   rows     =>  forall row, for group:  scale = max |x| / 127,
//                                        q = round(x / scale), sum of q
//   product  =>  linalg.generic over integers and scales {llama.quantized}
//
// The sums of groups are what a zero point or a minimum multiplies:
//
//   sum (w - zero) q           =  sum w q  -  zero sum q
//   sum (scale w + minimum) q  =  scale sum w q  +  minimum sum q
//
// Rows of 16 bits are two of bytes, q = 256 high + low, for products of bytes.
//
// Where element k of matrix row n lies: see !llama.quantized.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Conversion/Lowerings.h"

using namespace mlir;
using namespace mlir::llama;

Matrix::Matrix(ValueRange parts, Value original) : elements(parts.front()) {
  auto tensor = cast<RankedTensorType>(original.getType());
  type = dyn_cast<QuantizedType>(tensor.getElementType());
  rows = tensor.getDimSize(0);
  columns = tensor.getDimSize(1);
  if (type)
    scales = parts[1];
  if (type && type.hasMinimum())
    minimums = parts[2];
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Elements [at, at + count) of a row, f32, of which `present` are there; zeros
/// behind them.
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
    : b(b), rows(rows) {
  auto bits = user->getParentOfType<ModuleOp>()->getAttrOfType<IntegerAttr>(
      kRowBitsAttr);
  isWide = bits && bits.getInt() == 16;
}

const QuantizedRows &LinearInput::getQuantized(QuantizedType type) {
  if (quantized.integers && group == type.getGroup())
    return quantized;
  group = type.getGroup();
  int64_t columns = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  int64_t padded = type.getPaddedColumns(columns);
  int64_t count = type.getRowScales(columns);
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

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {

/// Where element k of matrix row n lies, as !llama.quantized says.
struct ElementPlace {
  AffineExpr panel, line, byte; ///< of the elements
  AffineExpr group, lane;       ///< of scales and minimums: panel, group, lane

  ElementPlace(QuantizedType type, AffineExpr n, AffineExpr k)
      : panel(n.floorDiv(QuantizedType::getPanelRows())),
        line(k.floorDiv(type.getLineColumns())),
        byte(n % QuantizedType::getPanelRows() * 4 + k % 4),
        group(k.floorDiv(type.getGroup())),
        lane(n % QuantizedType::getPanelRows()) {}
};

} // namespace

/// The integer of element `k` in its byte, less the zero point, f32.
static Value decode(RowBuilder &b, QuantizedType type, Value byte, Value k) {
  Value bits = byte;
  if (type.getBits() == 4) {
    Value half = arith::RemUIOp::create(
        b, arith::DivUIOp::create(b, k, b.index(4)), b.index(2));
    Value shift = arith::IndexCastOp::create(
        b, b.getI8Type(), arith::MulIOp::create(b, half, b.index(4)));
    Value mask = arith::ConstantOp::create(b, b.getI8IntegerAttr(15));
    bits = arith::AndIOp::create(
        b, arith::ShRUIOp::create(b, byte, shift).getResult(), mask);
  }
  Value wide = arith::ExtUIOp::create(b, b.getI32Type(), bits);
  Value zero = arith::ConstantOp::create(
      b, b.getI32IntegerAttr(static_cast<int32_t>(type.getZeroPoint())));
  return arith::SIToFPOp::create(b, b.getF32Type(),
                                 arith::SubIOp::create(b, wide, zero));
}

/// What a minimum adds, a part of it with every element of its group: so the
/// product needs no other loop. A group is a power of two: nothing is lost.
static Value addMinimum(RowBuilder &b, QuantizedType type, Value total,
                        Value rowScale, Value rowSum, Value minimum) {
  Value sum = arith::SIToFPOp::create(b, b.getF32Type(), rowSum);
  Value part = arith::MulFOp::create(b, arith::MulFOp::create(b, rowScale, sum),
                                     b.f32(1.0 / type.getGroup()));
  return b.addProduct(total, part, b.convertFloat(minimum, b.getF32Type()));
}

Value llama::lowerQuantizedLinear(RowBuilder &b, LinearInput &input,
                                  const Matrix &weight) {
  QuantizedType type = weight.type;
  const QuantizedRows &rows = input.getQuantized(type);
  Value zeros =
      b.fill(0.0, b.emptyRows(rows.integers, weight.rows, b.getF32Type()));
  AffineExpr t, n, k;
  bindDims(b.getContext(), t, n, k);
  auto map = [&](ArrayRef<AffineExpr> results) {
    return AffineMap::get(3, 0, results, b.getContext());
  };
  ElementPlace place(type, n, k);
  AffineMap rowGroup = map({t, place.group});
  AffineMap factor = map({place.panel, place.group, place.lane});
  SmallVector<Value> inputs = {rows.integers, rows.scales, rows.sums,
                               weight.elements, weight.scales};
  SmallVector<AffineMap> maps = {map({t, k}), rowGroup, rowGroup,
                                 map({place.panel, place.line, place.byte}),
                                 factor};
  if (type.hasMinimum()) {
    inputs.push_back(weight.minimums);
    maps.push_back(factor);
  }
  if (rows.low) {
    inputs.push_back(rows.low);
    maps.push_back(map({t, k}));
  }
  maps.push_back(map({t, n}));
  auto parallel = utils::IteratorType::parallel;
  auto op = linalg::GenericOp::create(
      b, zeros.getType(), inputs, zeros, maps,
      ArrayRef<utils::IteratorType>{parallel, parallel,
                                    utils::IteratorType::reduction},
      [&](OpBuilder &nested, Location loc, ValueRange v) {
        RowBuilder b(loc, nested);
        auto toFloat = [&](Value byte) {
          return b.convertFloat(byte, b.getF32Type());
        };
        Value x = toFloat(v[0]);
        if (rows.low)
          x = b.addProduct(toFloat(v.drop_back().back()), x, b.f32(256.0));
        Value w = decode(b, type, v[3], linalg::IndexOp::create(b, 2));
        Value factor = arith::MulFOp::create(
            b, v[1], b.convertFloat(v[4], b.getF32Type()));
        Value total =
            b.addProduct(v.back(), arith::MulFOp::create(b, x, w), factor);
        if (type.hasMinimum())
          total = addMinimum(b, type, total, v[1], v[2], v[5]);
        linalg::YieldOp::create(b, total);
      });
  op->setAttr(kQuantizedAttr, TypeAttr::get(type));
  return op.getResult(0);
}

//===----------------------------------------------------------------------===//
// Lookups
//===----------------------------------------------------------------------===//

/// Row `row` of the table, f32, into `into`.
static Value decodeRow(RowBuilder &b, const Matrix &table, Value row,
                       Value into) {
  QuantizedType type = table.type;
  Value size = b.index(QuantizedType::getPanelRows());
  Value panel = arith::DivUIOp::create(b, row, size);
  Value lane = arith::RemUIOp::create(b, row, size);
  Value first = arith::MulIOp::create(b, lane, b.index(4));
  return b.generic({}, into, {{0}}, 1, 0, [&](RowBuilder &b, ValueRange) {
    Value k = linalg::IndexOp::create(b, 0);
    Value line = arith::DivUIOp::create(b, k, b.index(type.getLineColumns()));
    Value byte = arith::AddIOp::create(
        b, first, arith::RemUIOp::create(b, k, b.index(4)).getResult());
    Value group = arith::DivUIOp::create(b, k, b.index(type.getGroup()));
    Value element = tensor::ExtractOp::create(b, table.elements,
                                              ValueRange{panel, line, byte});
    auto factor = [&](Value list) {
      Value half =
          tensor::ExtractOp::create(b, list, ValueRange{panel, group, lane});
      return b.convertFloat(half, b.getF32Type());
    };
    Value value = arith::MulFOp::create(b, decode(b, type, element, k),
                                        factor(table.scales));
    if (type.hasMinimum())
      value = arith::AddFOp::create(b, value, factor(table.minimums));
    return value;
  });
}

Value llama::lowerQuantizedGather(RowBuilder &b, const Matrix &table,
                                  Value list) {
  int64_t columns = table.columns;
  auto at = [](RowBuilder &b, ValueRange numbers) {
    return SmallVector<OpFoldResult>{numbers[0], b.getIndexAttr(0)};
  };
  return b.forall(ArrayRef<OpFoldResult>{b.rowCount(list)},
                  b.emptyRows(list, columns, b.getF32Type()), {1, columns}, at,
                  [&](RowBuilder &b, ValueRange numbers, Value shared) {
                    Value row = b.extractIndex(list, numbers[0]);
                    Value into =
                        b.slice(shared, at(b, numbers), {1, columns}, 1);
                    return decodeRow(b, table, row, into);
                  });
}
