//===- QuantizedProduct.cpp - A tile of a quantized product ---------------===//

#include "compiler/CPU/Kernels/QuantizedProduct.h"

#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::llama;

QuantizedProduct::QuantizedProduct(RewriterBase &rewriter, linalg::GenericOp op,
                                   int64_t lanes)
    : b(op.getLoc(), rewriter), op(op), lanes(lanes),
      type(cast<QuantizedType>(
          op->getAttrOfType<TypeAttr>(kQuantizedAttr).getValue())),
      rows(op.getStaticLoopRanges()[0]), columns(op.getStaticLoopRanges()[1]),
      depth(op.getStaticLoopRanges()[2]),
      isWide(op.getNumDpsInputs() - type.hasMinimum() == 6) {}

SmallVector<QuantizedProduct::Slot> QuantizedProduct::findSlots() {
  SmallVector<Slot> found;
  int64_t panel = QuantizedType::getPanelRows();
  for (int64_t column = 0; column < columns; column += lanes)
    found.push_back(
        {column / panel, column % panel, std::min(lanes, columns - column)});
  return found;
}

Value QuantizedProduct::read(Value tensor, ArrayRef<Value> at, int64_t count) {
  Type element = getElementTypeOrSelf(tensor.getType());
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(element));
  return vector::TransferReadOp::create(b, VectorType::get(count, element),
                                        tensor, at, none, ArrayRef<bool>{true});
}

Value QuantizedProduct::write(Value vector, Value into, ArrayRef<Value> at) {
  return vector::TransferWriteOp::create(b, vector, into, at,
                                         ArrayRef<bool>{true})
      .getResult();
}

Value QuantizedProduct::pad(Value vector, int64_t count) {
  auto from = cast<VectorType>(vector.getType());
  if (from.getNumElements() == count)
    return vector;
  auto to = VectorType::get(count, from.getElementType());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(to));
  return vector::InsertStridedSliceOp::create(
      b, vector, zeros, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
}

SmallVector<Value> QuantizedProduct::loop(
    int64_t end, int64_t step, ValueRange inits,
    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, index(0), index(end), index(step), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return loop.getResults();
}

Value QuantizedProduct::readScalar(Operand operand, Value row, Value at) {
  return tensor::ExtractOp::create(b, source(operand), ValueRange{row, at});
}

Value QuantizedProduct::readFactors(Operand operand, const Slot &slot,
                                    Value group) {
  Value factors =
      read(operand, {index(slot.panel), group, index(slot.first)}, slot.count);
  return arith::ExtFOp::create(b, floats(), pad(factors, lanes));
}

QuantizedProduct::GroupFactors
QuantizedProduct::readGroupFactors(const Slot &slot, Value group) {
  Value scales = readFactors(Scales, slot, group);
  return {scales,
          type.hasMinimum() ? readFactors(Minimums, slot, group) : Value()};
}

QuantizedProduct::RowFactors QuantizedProduct::readRowFactors(Value row,
                                                              Value group) {
  Value scale = readScalar(RowScales, row, group);
  RowFactors factors = {splat(floats(), scale), Value()};
  if (type.hasMinimum()) {
    Value sum = arith::SIToFPOp::create(b, b.getF32Type(),
                                        readScalar(RowSums, row, group));
    factors.sum =
        splat(floats(), arith::MulFOp::create(b, scale, sum).getResult());
  }
  return factors;
}

Value QuantizedProduct::readStart(Value row, Value group, int64_t zeroPoint) {
  Value start = arith::ConstantOp::create(
      b, b.getI32IntegerAttr(static_cast<int32_t>(-zeroPoint)));
  if (zeroPoint != 0)
    start = arith::MulIOp::create(b, readScalar(RowSums, row, group), start);
  return splat(words(), start);
}

Value QuantizedProduct::joinBytes(Value low, Value high) {
  Value byte = arith::ConstantOp::create(
      b, DenseElementsAttr::get(words(), static_cast<int32_t>(8)));
  Value up = arith::ShLIOp::create(b, high, byte);
  return arith::AddIOp::create(b, up, low);
}

Value QuantizedProduct::addGroup(Value sum, Value dots,
                                 const GroupFactors &factors,
                                 const RowFactors &row) {
  Value factor = arith::MulFOp::create(b, factors.scales, row.scale);
  Value dots32 = arith::SIToFPOp::create(b, floats(), dots);
  sum = math::FmaOp::create(b, dots32, factor, sum);
  if (factors.minimums)
    sum = math::FmaOp::create(b, factors.minimums, row.sum, sum);
  return sum;
}

Value QuantizedProduct::getResultPlace() {
  Value into = op.getDpsInits()[0];
  if (auto fill = into.getDefiningOp<linalg::FillOp>())
    return fill.getDpsInits()[0];
  return into;
}
