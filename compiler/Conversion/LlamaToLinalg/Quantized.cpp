//===- Quantized.cpp - Products of integers with scales -------------------===//
//
//   rows     =>  forall row, for group:  scale = max |x| / 127,
//                                        q = round(x / scale)
//   product  =>  linalg.generic over integers and scales {llama.quantized}
//
// A matrix with minimums also needs the sum of every group of a row:
//
//   sum (scale w + minimum) x  =  scale sum w x  +  minimum sum x
//
// Rows of 16 bits are two of bytes, q = 256 high + low, for products of bytes.
//
// Element k of everything here is the k-th in memory, which for groups of 32 is
// not the k-th of the row: see !llama.quantized.
//
//===----------------------------------------------------------------------===//

#include "compiler/Conversion/LlamaToLinalg/Lowerings.h"

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

/// Groups that share 64 elements, and those elements or the larger group: what
/// one step of a loop handles.
static int64_t getGroupsPerStep(QuantizedType type) {
  return type.getGroup() == 32 ? 2 : 1;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

using StepBody = function_ref<SmallVector<Value>(
    RowBuilder &, Value step, ValueRange carried, int64_t present)>;

/// Calls `body` for every step of a row: in a loop for those that lie within
/// its `columns`, of which `present` then are as many as a step has; one by one
/// for those that reach into the padding.
static SmallVector<Value> forSteps(RowBuilder &b, QuantizedType type,
                                   int64_t columns, ValueRange inits,
                                   StepBody body) {
  int64_t width = type.getGroup() * getGroupsPerStep(type);
  int64_t whole = columns / width;
  SmallVector<Value> carried(inits);
  if (whole > 0)
    carried = b.loop(b.index(whole), carried,
                     [&](RowBuilder &b, Value step, ValueRange carried) {
                       return body(b, step, carried, width);
                     });
  int64_t steps = type.getPaddedColumns(columns) / width;
  for (int64_t step = whole; step < steps; ++step)
    carried = body(b, b.index(step), carried,
                   std::max<int64_t>(0, columns - step * width));
  return carried;
}

/// Elements [at, at + count) of a row, f32, of which `present` are there; zeros
/// behind them.
static Value readFloats(RowBuilder &b, Value row, Value at, int64_t count,
                        int64_t present) {
  auto type = VectorType::get(count, b.getF32Type());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
  if (present <= 0)
    return zeros;
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

/// What a group of a row becomes.
struct QuantizedGroup {
  Value integers, low, scale;
  Value wide; ///< the integers, i32
};

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
  // The largest of two bytes that are at most 127 and 127 would do, but its
  // multiples would not.
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
  auto bytes = VectorType::get(type.getShape(), b.getI8Type());
  auto truncate = [&](Value integers) -> Value {
    return arith::TruncIOp::create(b, bytes, integers);
  };
  if (!isWide)
    return {truncate(wide), Value(), scale, wide};
  auto [high, low] = splitBytes(b, wide);
  return {truncate(high), truncate(low), scale, wide};
}

static Value sumGroup(RowBuilder &b, const QuantizedGroup &group) {
  Value sum =
      vector::ReductionOp::create(b, vector::CombiningKind::ADD, group.wide);
  return arith::MulFOp::create(b, group.scale,
                               arith::SIToFPOp::create(b, b.getF32Type(), sum));
}

/// Two groups of 32 bytes, by turns of four bytes.
static Value interleave(RowBuilder &b, Value first, Value second) {
  auto words = VectorType::get(8, b.getI32Type());
  Value both = vector::InterleaveOp::create(
      b, vector::BitCastOp::create(b, words, first),
      vector::BitCastOp::create(b, words, second));
  return vector::BitCastOp::create(b, VectorType::get(64, b.getI8Type()), both);
}

static std::pair<Value, Value> deinterleave(RowBuilder &b, Value both) {
  auto words = VectorType::get(16, b.getI32Type());
  auto parts = vector::DeinterleaveOp::create(
      b, vector::BitCastOp::create(b, words, both));
  auto bytes = VectorType::get(32, b.getI8Type());
  return {vector::BitCastOp::create(b, bytes, parts.getRes1()),
          vector::BitCastOp::create(b, bytes, parts.getRes2())};
}

/// Quantizes one row into integers, scales, if the type has minimums sums, and
/// if integers are wide their low bytes.
static SmallVector<Value> quantizeRow(RowBuilder &b, Value row,
                                      QuantizedType type, bool isWide,
                                      ValueRange into) {
  int64_t columns = cast<RankedTensorType>(row.getType()).getDimSize(0);
  int64_t group = type.getGroup(), groups = getGroupsPerStep(type);
  return forSteps(
      b, type, columns, into,
      [&](RowBuilder &b, Value step, ValueRange carried, int64_t present) {
        Value at = arith::MulIOp::create(b, step, b.index(group * groups));
        Value first = arith::MulIOp::create(b, step, b.index(groups));
        SmallVector<Value> result(carried), parts, lows;
        for (int64_t i = 0; i < groups; ++i) {
          Value begin = arith::AddIOp::create(b, at, b.index(i * group));
          Value values = readFloats(b, row, begin, group, present - i * group);
          QuantizedGroup part = quantizeGroup(b, values, isWide);
          Value number = arith::AddIOp::create(b, first, b.index(i));
          result[1] =
              tensor::InsertOp::create(b, part.scale, result[1], number);
          if (type.hasMinimum())
            result[2] = tensor::InsertOp::create(b, sumGroup(b, part),
                                                 result[2], number);
          parts.push_back(part.integers);
          lows.push_back(part.low);
        }
        auto write = [&](ArrayRef<Value> parts, Value &into) {
          Value bytes =
              groups == 2 ? interleave(b, parts[0], parts[1]) : parts[0];
          into = vector::TransferWriteOp::create(b, bytes, into, ValueRange{at},
                                                 ArrayRef<bool>{true})
                     .getResult();
        };
        write(parts, result[0]);
        if (isWide)
          write(lows, result.back());
        return result;
      });
}

LinearInput::LinearInput(RowBuilder &b, Value rows, Operation *user)
    : b(b), rows(rows) {
  auto bits = user->getParentOfType<ModuleOp>()->getAttrOfType<IntegerAttr>(
      kRowBitsAttr);
  isWide = bits && bits.getInt() == 16;
}

const QuantizedRows &LinearInput::getQuantized(QuantizedType type) {
  if (known && known.getGroup() == type.getGroup() &&
      known.getVectorElements() == type.getVectorElements() &&
      (known.hasMinimum() || !type.hasMinimum()))
    return quantized;
  int64_t columns = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  int64_t padded = type.getPaddedColumns(columns);
  int64_t count = type.getRowScales(columns);
  SmallVector<Value> inits = {b.emptyRows(rows, padded, b.getI8Type()),
                              b.emptyRows(rows, count, b.getF32Type())};
  SmallVector<int64_t> widths = {padded, count};
  if (type.hasMinimum()) {
    inits.push_back(b.emptyRows(rows, count, b.getF32Type()));
    widths.push_back(count);
  }
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
        SmallVector<Value> results = quantizeRow(b, from, type, isWide, into);
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
  known = type;
  quantized = {loop.getResult(0), isWide ? loop.getResults().back() : Value(),
               loop.getResult(1),
               type.hasMinimum() ? loop.getResult(2) : Value()};
  return quantized;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The scale of element k.
static AffineExpr getScaleOf(QuantizedType type, AffineExpr k) {
  if (type.getGroup() == 32)
    return k.floorDiv(64) * 2 + k.floorDiv(4) % 2;
  return k.floorDiv(type.getGroup());
}

/// The byte of element k.
static AffineExpr getByteOf(QuantizedType type, AffineExpr k) {
  return type.getBits() == 4 ? k.floorDiv(128) * 64 + k % 64 : k;
}

/// The integer that the byte of element k holds, less the zero point, f32.
static Value decode(RowBuilder &b, QuantizedType type, Value byte) {
  Value bits = byte;
  if (type.getBits() == 4) {
    Value k = linalg::IndexOp::create(b, 2);
    Value half = arith::RemUIOp::create(
        b, arith::DivUIOp::create(b, k, b.index(64)), b.index(2));
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
                        Value rowSum, Value minimum) {
  Value part = arith::MulFOp::create(b, rowSum, b.f32(1.0 / type.getGroup()));
  return b.addProduct(total, part, b.convertFloat(minimum, b.getF32Type()));
}

static Value toFloat(RowBuilder &b, Value byte) {
  return arith::SIToFPOp::create(
      b, b.getF32Type(),
      arith::ExtSIOp::create(b, b.getI32Type(), byte).getResult());
}

Value llama::lowerQuantizedLinear(RowBuilder &b, LinearInput &input,
                                  const Matrix &weight) {
  QuantizedType type = weight.type;
  const QuantizedRows &rows = input.getQuantized(type);
  Value zeros =
      b.fill(0.0, b.emptyRows(rows.integers, weight.rows, b.getF32Type()));
  MLIRContext *context = b.getContext();
  AffineExpr t, n, k;
  bindDims(context, t, n, k);
  auto map = [&](AffineExpr row, AffineExpr column) {
    return AffineMap::get(3, 0, {row, column}, context);
  };
  AffineExpr scale = getScaleOf(type, k);
  SmallVector<Value> inputs = {rows.integers, rows.scales, weight.elements,
                               weight.scales};
  SmallVector<AffineMap> maps = {map(t, k), map(t, scale),
                                 map(n, getByteOf(type, k)), map(n, scale)};
  if (type.hasMinimum()) {
    inputs.append({rows.sums, weight.minimums});
    maps.append({map(t, scale), map(n, scale)});
  }
  if (rows.low) {
    inputs.push_back(rows.low);
    maps.push_back(map(t, k));
  }
  maps.push_back(map(t, n));
  auto parallel = utils::IteratorType::parallel;
  auto op = linalg::GenericOp::create(
      b, zeros.getType(), inputs, zeros, maps,
      ArrayRef<utils::IteratorType>{parallel, parallel,
                                    utils::IteratorType::reduction},
      [&](OpBuilder &nested, Location loc, ValueRange v) {
        RowBuilder b(loc, nested);
        Value x = toFloat(b, v[0]);
        if (rows.low)
          x = b.addProduct(toFloat(b, v.drop_back().back()), x, b.f32(256.0));
        Value product = arith::MulFOp::create(b, x, decode(b, type, v[2]));
        Value factor = arith::MulFOp::create(
            b, v[1], b.convertFloat(v[3], b.getF32Type()));
        Value total = b.addProduct(v.back(), product, factor);
        if (type.hasMinimum())
          total = addMinimum(b, type, total, v[4], v[5]);
        linalg::YieldOp::create(b, total);
      });
  op->setAttr(kQuantizedAttr, TypeAttr::get(type));
  return op.getResult(0);
}

//===----------------------------------------------------------------------===//
// Lookups
//===----------------------------------------------------------------------===//

/// Writes `integers` of a group of 8 bits, times its scale and plus its minimum
/// if there is one, to `row` from `at` on, `present` of them at most.
static Value writeGroup(RowBuilder &b, QuantizedType type, Value integers,
                        ArrayRef<Value> factors, Value row, Value at,
                        int64_t present) {
  if (present <= 0)
    return row;
  ArrayRef<int64_t> shape = cast<VectorType>(integers.getType()).getShape();
  auto wideType = VectorType::get(shape, b.getI32Type());
  auto floatType = VectorType::get(shape, b.getF32Type());
  Value zero = arith::ConstantOp::create(
      b, DenseElementsAttr::get(wideType,
                                static_cast<int32_t>(type.getZeroPoint())));
  Value wide = arith::SubIOp::create(
      b, arith::ExtUIOp::create(b, wideType, integers).getResult(), zero);
  Value values = arith::MulFOp::create(
      b, arith::SIToFPOp::create(b, floatType, wide),
      vector::BroadcastOp::create(b, floatType, factors[0]));
  if (type.hasMinimum())
    values = arith::AddFOp::create(
        b, values, vector::BroadcastOp::create(b, floatType, factors[1]));
  if (present < shape[0])
    values = vector::ExtractStridedSliceOp::create(
        b, values, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{present},
        ArrayRef<int64_t>{1});
  return vector::TransferWriteOp::create(b, values, row, ValueRange{at},
                                         ArrayRef<bool>{true})
      .getResult();
}

Value llama::lowerQuantizedGather(RowBuilder &b, const Matrix &table,
                                  Value list) {
  QuantizedType type = table.type;
  int64_t columns = table.columns;
  int64_t group = type.getGroup(), groups = getGroupsPerStep(type);
  int64_t width = group * groups;
  auto decodeRow = [&](RowBuilder &b, Value bytes, ArrayRef<Value> lists,
                       Value into) {
    Value zero = arith::ConstantOp::create(b, b.getI8IntegerAttr(0));
    return forSteps(
        b, type, columns, into,
        [&](RowBuilder &b, Value step, ValueRange carried, int64_t present) {
          Value at = arith::MulIOp::create(b, step, b.index(width));
          Value first = arith::MulIOp::create(b, step, b.index(groups));
          Value integers = vector::TransferReadOp::create(
              b, VectorType::get(width, b.getI8Type()), bytes, at, zero,
              ArrayRef<bool>{true});
          SmallVector<Value> parts = {integers};
          if (groups == 2) {
            auto [even, odd] = deinterleave(b, integers);
            parts = {even, odd};
          }
          Value row = carried[0];
          for (auto [i, part] : llvm::enumerate(parts)) {
            Value number = arith::AddIOp::create(b, first, b.index(i));
            SmallVector<Value> factors;
            for (Value list : lists)
              factors.push_back(b.convertFloat(
                  tensor::ExtractOp::create(b, list, number), b.getF32Type()));
            Value begin = arith::AddIOp::create(b, at, b.index(i * group));
            row = writeGroup(b, type, part, factors, row, begin,
                             present - int64_t(i) * group);
          }
          return SmallVector<Value>{row};
        })[0];
  };
  Value init = b.emptyRows(list, columns, b.getF32Type());
  return b.forall(
      ArrayRef<OpFoldResult>{b.rowCount(list)}, init, {1, columns},
      [](RowBuilder &b, ValueRange numbers) {
        return SmallVector<OpFoldResult>{numbers[0], b.getIndexAttr(0)};
      },
      [&](RowBuilder &b, ValueRange numbers, Value shared) {
        Value row = b.extractIndex(list, numbers[0]);
        SmallVector<OpFoldResult> from = {row, b.getIndexAttr(0)};
        SmallVector<OpFoldResult> to = {numbers[0], b.getIndexAttr(0)};
        Value bytes =
            b.slice(table.elements, from, {1, type.getRowBytes(columns)}, 1);
        int64_t count = type.getRowScales(columns);
        SmallVector<Value> lists = {b.slice(table.scales, from, {1, count}, 1)};
        if (type.hasMinimum())
          lists.push_back(b.slice(table.minimums, from, {1, count}, 1));
        Value into = b.slice(shared, to, {1, columns}, 1);
        return decodeRow(b, bytes, lists, into);
      });
}
