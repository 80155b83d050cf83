//===- RowBuilder.cpp - Pieces from which conversions are built -----------===//

#include "compiler/CPU/Conversion/RowBuilder.h"

using namespace mlir;
using namespace mlir::llama;

Value RowBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value RowBuilder::f32(double value) {
  return arith::ConstantOp::create(*this, getF32FloatAttr(value));
}

Value RowBuilder::rowCount(Value rows) {
  return tensor::DimOp::create(*this, rows, 0);
}

Value RowBuilder::empty(ArrayRef<int64_t> shape, Type element,
                        ValueRange dynamic) {
  return tensor::EmptyOp::create(*this, shape, element, dynamic);
}

Value RowBuilder::emptyRows(Value like, int64_t columns, Type element) {
  return empty({ShapedType::kDynamic, columns}, element, rowCount(like));
}

Value RowBuilder::fill(double value, Value into) {
  Type element = getElementTypeOrSelf(into.getType());
  Value scalar = arith::ConstantOp::create(*this, getFloatAttr(element, value));
  return linalg::FillOp::create(*this, scalar, into).getResult(0);
}

Value RowBuilder::convertFloat(Value value, Type type) {
  unsigned from = getElementTypeOrSelf(value).getIntOrFloatBitWidth();
  unsigned to = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (isa<IntegerType>(getElementTypeOrSelf(value)))
    return arith::SIToFPOp::create(*this, type, value);
  if (from < to)
    return arith::ExtFOp::create(*this, type, value);
  assert(from > to && "bf16 and f16 do not convert into each other");
  return arith::TruncFOp::create(*this, type, value);
}

Value RowBuilder::addProduct(Value sum, Value x, Value y) {
  auto fused = arith::FastMathFlags::contract;
  Value product = arith::MulFOp::create(*this, x, y, fused);
  return arith::AddFOp::create(*this, sum, product, fused);
}

Value RowBuilder::extractIndex(Value tensor, ValueRange indices) {
  Value element = tensor::ExtractOp::create(*this, tensor, indices);
  return arith::IndexCastOp::create(*this, getIndexType(), element);
}

Value RowBuilder::generic(ValueRange inputs, Value init,
                          ArrayRef<SmallVector<unsigned>> maps,
                          unsigned parallel, unsigned reductions,
                          ScalarBody body) {
  unsigned dims = parallel + reductions;
  SmallVector<AffineMap> affineMaps;
  for (ArrayRef<unsigned> map : maps)
    affineMaps.push_back(
        AffineMap::getMultiDimMapWithTargets(dims, map, getContext()));
  SmallVector<utils::IteratorType> iterators(parallel,
                                             utils::IteratorType::parallel);
  iterators.append(reductions, utils::IteratorType::reduction);
  auto op = linalg::GenericOp::create(
      *this, init.getType(), inputs, init, affineMaps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        RowBuilder inner(loc, nested);
        linalg::YieldOp::create(nested, loc, body(inner, arguments));
      });
  return op.getResult(0);
}

Value RowBuilder::elementwise(ValueRange inputs, Value init, ScalarBody body) {
  unsigned rank = cast<RankedTensorType>(init.getType()).getRank();
  SmallVector<unsigned> identity = llvm::to_vector(llvm::seq<unsigned>(rank));
  SmallVector<SmallVector<unsigned>> maps(inputs.size() + 1, identity);
  return generic(inputs, init, maps, rank, 0, body);
}

Value RowBuilder::slice(Value source, ArrayRef<OpFoldResult> offsets,
                        ArrayRef<int64_t> sizes, int64_t keptRank) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<OpFoldResult> strides(sizes.size(), getIndexAttr(1));
  SmallVector<OpFoldResult> foldedSizes =
      getAsIndexOpFoldResult(getContext(), sizes);
  auto kept =
      RankedTensorType::get(sizes.take_back(keptRank), type.getElementType());
  return tensor::ExtractSliceOp::create(*this, kept, source, offsets,
                                        foldedSizes, strides);
}

Value RowBuilder::subview(Value source, ArrayRef<OpFoldResult> offsets,
                          ArrayRef<int64_t> sizes,
                          ArrayRef<int64_t> keptShape) {
  SmallVector<OpFoldResult> strides(sizes.size(), getIndexAttr(1));
  SmallVector<OpFoldResult> folded =
      getAsIndexOpFoldResult(getContext(), sizes);
  auto type = memref::SubViewOp::inferRankReducedResultType(
      keptShape, cast<MemRefType>(source.getType()), offsets, folded, strides);
  return memref::SubViewOp::create(*this, type, source, offsets, folded,
                                   strides);
}

Value RowBuilder::forall(
    ArrayRef<OpFoldResult> bounds, Value init, ArrayRef<int64_t> sliceSizes,
    function_ref<SmallVector<OpFoldResult>(RowBuilder &, ValueRange)> offsets,
    LoopBody body) {
  auto loop = scf::ForallOp::create(
      *this, bounds, init, /*mapping=*/std::nullopt,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        RowBuilder inner(loc, nested);
        ValueRange numbers = arguments.drop_back();
        Value part = body(inner, numbers, arguments.back());
        SmallVector<OpFoldResult> at = offsets(inner, numbers);
        SmallVector<OpFoldResult> strides(at.size(), getIndexAttr(1));
        auto terminator = scf::InParallelOp::create(nested, loc);
        nested.setInsertionPointToStart(terminator.getBody());
        tensor::ParallelInsertSliceOp::create(
            nested, loc, part, arguments.back(), at,
            getAsIndexOpFoldResult(getContext(), sliceSizes), strides);
      });
  return loop.getResult(0);
}

void RowBuilder::forallRows(Value like, Body body) {
  scf::ForallOp::create(
      *this, ArrayRef<OpFoldResult>{rowCount(like)}, ValueRange{},
      /*mapping=*/std::nullopt,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        RowBuilder inner(loc, nested);
        body(inner, arguments);
        scf::InParallelOp::create(nested, loc);
      });
}

SmallVector<Value> RowBuilder::loop(
    Value bound, ValueRange inits,
    function_ref<SmallVector<Value>(RowBuilder &, Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(
      *this, index(0), bound, index(1), inits,
      [&](OpBuilder &nested, Location loc, Value number, ValueRange carried) {
        RowBuilder inner(loc, nested);
        scf::YieldOp::create(nested, loc, body(inner, number, carried));
      });
  return SmallVector<Value>(loop.getResults());
}
