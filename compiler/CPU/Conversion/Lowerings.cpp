//===- Lowerings.cpp - What each box means in linalg ----------------------===//

#include "compiler/CPU/Conversion/Lowerings.h"

#include "dialects/Kernel/IR/KernelOps.h"

#include <limits>

using namespace mlir;
using namespace mlir::llama;

static int64_t getColumns(Value rows) {
  return cast<RankedTensorType>(rows.getType()).getDimSize(1);
}

Value llama::lowerLinear(RowBuilder &b, LinearInput &input,
                         const Matrix &matrix) {
  SmallVector<Value> rows = {input.getRows()};
  if (QuantizedType type = matrix.getQuantized()) {
    const QuantizedRows &quantized = input.getQuantized(type);
    rows = {quantized.integers, quantized.scales, quantized.sums,
            quantized.low};
  }
  Operation *user = input.getUser();
  Value init = b.emptyRows(rows[0], matrix.type.getDimSize(0), b.getF32Type());
  GetWeightOp weight = matrix.weight;
  return MatmulOp::create(b, rows, weight.getNameAttr(), matrix.type,
                          weight.getLayer(), init,
                          user->getName().stripDialect(), isa<LogitsOp>(user))
      .getResult();
}

Value llama::lowerAdd(RowBuilder &b, Value stream, Value branch) {
  return b.elementwise(branch, stream,
                       [](RowBuilder &b, ValueRange v) -> Value {
                         return arith::AddFOp::create(b, v[1], v[0]);
                       });
}

Value llama::lowerRMSNorm(RowBuilder &b, Value input, Value weight, double eps,
                          Type element) {
  int64_t columns = getColumns(input);
  Value zeros = b.fill(
      0.0, b.empty({ShapedType::kDynamic}, b.getF32Type(), b.rowCount(input)));
  Value squares = b.generic(input, zeros, {{0, 1}, {0}}, 1, 1,
                            [](RowBuilder &b, ValueRange v) -> Value {
                              return b.addProduct(v[1], v[0], v[0]);
                            });
  Value result = b.emptyRows(input, columns, element);
  return b.generic(
      {input, squares, weight}, result, {{0, 1}, {0}, {1}, {0, 1}}, 2, 0,
      [&](RowBuilder &b, ValueRange v) -> Value {
        Value mean = arith::DivFOp::create(b, v[1], b.f32(columns));
        Value root =
            math::SqrtOp::create(b, arith::AddFOp::create(b, mean, b.f32(eps)));
        Value unit = arith::DivFOp::create(b, v[0], root);
        Value w = b.convertFloat(v[2], b.getF32Type());
        return b.convertFloat(arith::MulFOp::create(b, unit, w), element);
      });
}

// The rotated pair is the last dimension: out[.., j] = x[.., j] cos +- x[.., 1
// - j] sin.
Value llama::lowerRope(RowBuilder &b, Value input, Value cosine, Value sine) {
  int64_t half = getColumns(cosine);
  int64_t heads = getColumns(input) / (2 * half);
  SmallVector<ReassociationIndices> groups = {{0}, {1, 2, 3}};
  auto pairsType = RankedTensorType::get({ShapedType::kDynamic, heads, half, 2},
                                         b.getF32Type());
  Value count = b.rowCount(input);
  SmallVector<OpFoldResult> shape = {count, b.getIndexAttr(heads),
                                     b.getIndexAttr(half), b.getIndexAttr(2)};
  Value pairs =
      tensor::ExpandShapeOp::create(b, pairsType, input, groups, shape);
  Value init =
      b.empty({ShapedType::kDynamic, heads, half, 2}, b.getF32Type(), count);

  MLIRContext *context = b.getContext();
  AffineExpr t, h, i, j;
  bindDims(context, t, h, i, j);
  AffineExpr first = getAffineConstantExpr(0, context);
  AffineExpr second = getAffineConstantExpr(1, context);
  auto map = [&](ArrayRef<AffineExpr> results) {
    return AffineMap::get(4, 0, results, context);
  };
  auto op = linalg::GenericOp::create(
      b, pairsType, ValueRange{pairs, pairs, cosine, sine}, init,
      ArrayRef<AffineMap>{map({t, h, i, first}), map({t, h, i, second}),
                          map({t, i}), map({t, i}), map({t, h, i, j})},
      SmallVector<utils::IteratorType>(4, utils::IteratorType::parallel),
      [](OpBuilder &nested, Location loc, ValueRange v) {
        RowBuilder b(loc, nested);
        Value even =
            arith::SubFOp::create(b, arith::MulFOp::create(b, v[0], v[2]),
                                  arith::MulFOp::create(b, v[1], v[3]));
        Value odd =
            arith::AddFOp::create(b, arith::MulFOp::create(b, v[1], v[2]),
                                  arith::MulFOp::create(b, v[0], v[3]));
        Value isFirst =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                  linalg::IndexOp::create(b, 3), b.index(0));
        Value result = arith::SelectOp::create(b, isFirst, even, odd);
        linalg::YieldOp::create(b, result);
      });
  return tensor::CollapseShapeOp::create(b, input.getType(), op.getResult(0),
                                         groups);
}

std::pair<Value, Value> llama::lowerRopeAngles(RowBuilder &b, Value positions,
                                               ArrayRef<double> frequencies,
                                               double factor) {
  auto count = static_cast<int64_t>(frequencies.size());
  Value table = arith::ConstantOp::create(
      b, DenseElementsAttr::get(RankedTensorType::get(count, b.getF64Type()),
                                frequencies));
  Value cosines = b.emptyRows(positions, count, b.getF32Type());
  Value sines = b.emptyRows(positions, count, b.getF32Type());
  auto map = [&](ArrayRef<unsigned> results) {
    return AffineMap::getMultiDimMapWithTargets(2, results, b.getContext());
  };
  auto op = linalg::GenericOp::create(
      b, TypeRange{cosines.getType(), sines.getType()},
      ValueRange{positions, table}, ValueRange{cosines, sines},
      ArrayRef<AffineMap>{map({0}), map({1}), map({0, 1}), map({0, 1})},
      SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
      [&](OpBuilder &nested, Location loc, ValueRange v) {
        RowBuilder b(loc, nested);
        auto finish = [&](Value number) {
          if (factor != 1.0)
            number = arith::MulFOp::create(
                b, number,
                arith::ConstantOp::create(b, b.getF64FloatAttr(factor)));
          return b.convertFloat(number, b.getF32Type());
        };
        Value position = arith::SIToFPOp::create(b, b.getF64Type(), v[0]);
        Value angle = arith::MulFOp::create(b, position, v[1]);
        Value cosine = finish(math::CosOp::create(b, angle));
        Value sine = finish(math::SinOp::create(b, angle));
        linalg::YieldOp::create(b, ValueRange{cosine, sine});
      });
  return {op.getResult(0), op.getResult(1)};
}

Value llama::lowerGate(RowBuilder &b, Value gate, Value up, Type element) {
  Value init = b.emptyRows(gate, getColumns(gate), element);
  return b.elementwise({gate, up}, init, [&](RowBuilder &b, ValueRange v) {
    Value exp = math::ExpOp::create(b, arith::NegFOp::create(b, v[0]));
    Value denominator = arith::AddFOp::create(b, exp, b.f32(1.0));
    Value silu = arith::DivFOp::create(b, v[0], denominator);
    return b.convertFloat(arith::MulFOp::create(b, silu, v[1]), element);
  });
}

Value llama::lowerGather(RowBuilder &b, Value table, Value list, Type element) {
  int64_t columns = getColumns(table);
  Value init = b.emptyRows(list, columns, element);
  return b.forall(
      ArrayRef<OpFoldResult>{b.rowCount(list)}, init, {1, columns},
      [](RowBuilder &b, ValueRange numbers) {
        return SmallVector<OpFoldResult>{numbers[0], b.getIndexAttr(0)};
      },
      [&](RowBuilder &b, ValueRange numbers, Value shared) {
        Value row = b.extractIndex(list, numbers[0]);
        Value from = b.slice(table, {row, b.getIndexAttr(0)}, {1, columns}, 2);
        Value into =
            b.slice(shared, {numbers[0], b.getIndexAttr(0)}, {1, columns}, 2);
        return b.elementwise(from, into, [&](RowBuilder &b, ValueRange v) {
          return b.convertFloat(v[0], element);
        });
      });
}

Value llama::lowerScatter(RowBuilder &b, Value few, ArrayRef<int32_t> tokens,
                          int64_t columns) {
  auto count = static_cast<int64_t>(tokens.size());
  Value list = arith::ConstantOp::create(
      b, DenseElementsAttr::get(RankedTensorType::get(count, b.getI32Type()),
                                tokens));
  Value init = b.emptyRows(few, columns, b.getF32Type());
  return b.forall(
      ArrayRef<OpFoldResult>{b.rowCount(few)}, init, {1, columns},
      [](RowBuilder &b, ValueRange numbers) {
        return SmallVector<OpFoldResult>{numbers[0], b.getIndexAttr(0)};
      },
      [&](RowBuilder &b, ValueRange numbers, Value shared) {
        SmallVector<OpFoldResult> at = {numbers[0], b.getIndexAttr(0)};
        Value from = b.slice(few, at, {1, count}, 2);
        Value row = b.fill(-std::numeric_limits<double>::infinity(),
                           b.slice(shared, at, {1, columns}, 2));
        Value first = b.index(0);
        return b.loop(b.index(count), row,
                      [&](RowBuilder &b, Value i, ValueRange carried) {
                        Value score = tensor::ExtractOp::create(
                            b, from, ValueRange{first, i});
                        Value token = b.extractIndex(list, i);
                        Value next = tensor::InsertOp::create(
                            b, score, carried[0], ValueRange{first, token});
                        return SmallVector<Value>{next};
                      })[0];
      });
}
