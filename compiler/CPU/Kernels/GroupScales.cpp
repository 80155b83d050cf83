//===- GroupScales.cpp - What becomes of a group's exact sums -------------===//

#include "compiler/CPU/Kernels/GroupScales.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::llama;

Value GroupScales::readFactors(const ColumnVector &columns, Value group,
                               int64_t at) {
  Value halves =
      loadLanes(columns, plus(locateGroup(group), at), 2, b.getF16Type());
  return arith::ExtFOp::create(b, floats(), halves);
}

GroupScales::GroupFactors
GroupScales::readGroupFactors(const ColumnVector &columns, Value group) {
  Value scales = readFactors(columns, group, layout.locateScales(0));
  return {scales, layout.format.hasMinimum
                      ? readFactors(columns, group, layout.locateMinimums(0))
                      : Value()};
}

GroupScales::RowFactors GroupScales::readRowFactors(Value row, Value group) {
  Value scale =
      memref::LoadOp::create(b, op.getScales(), ValueRange{row, group});
  RowFactors factors = {splat(floats(), scale), Value()};
  if (layout.format.hasMinimum) {
    Value sum = arith::SIToFPOp::create(
        b, b.getF32Type(),
        memref::LoadOp::create(b, op.getSums(), ValueRange{row, group})
            .getResult());
    factors.sum =
        splat(floats(), arith::MulFOp::create(b, scale, sum).getResult());
  }
  return factors;
}

Value GroupScales::readStart(Value row, Value group, int64_t zeroPoint) {
  Value start = arith::ConstantOp::create(
      b, b.getI32IntegerAttr(static_cast<int32_t>(-zeroPoint)));
  if (zeroPoint != 0)
    start = arith::MulIOp::create(
        b,
        memref::LoadOp::create(b, op.getSums(), ValueRange{row, group})
            .getResult(),
        start);
  return splat(words(), start);
}

Value GroupScales::joinBytes(Value low, Value high) {
  Value up = arith::ShLIOp::create(b, high, constantWords(8));
  return arith::AddIOp::create(b, up, low);
}

Value GroupScales::addGroup(Value sums, Value dots, const GroupFactors &factors,
                            const RowFactors &row) {
  Value factor = arith::MulFOp::create(b, factors.scales, row.scale);
  Value dots32 = arith::SIToFPOp::create(b, floats(), dots);
  sums = math::FmaOp::create(b, dots32, factor, sums);
  if (factors.minimums)
    sums = math::FmaOp::create(b, factors.minimums, row.sum, sums);
  return sums;
}
