//===- KernelOps.cpp - Ops of the Kernel dialect --------------------------===//

#include "dialects/Kernel/IR/KernelOps.h"

#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::llama;

#define GET_OP_CLASSES
#include "dialects/Kernel/IR/KernelOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The declaration of `name`, if it is one and `layer` is there as it should.
static FailureOr<WeightOp> verifyWeight(Operation *op, StringAttr name,
                                        Value layer,
                                        SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(
      op, FlatSymbolRefAttr::get(name));
  if (!weight)
    return op->emitOpError()
           << "'@" << name.getValue() << "' is not a declared weight";
  if (weight.getLayered() != (layer != nullptr))
    return op->emitOpError()
           << "'@" << name.getValue() << "' is "
           << (weight.getLayered() ? "layered, expected a layer number"
                                   : "not layered, found a layer number");
  return weight;
}

LogicalResult StoredWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<WeightOp> weight =
      verifyWeight(*this, getNameAttr().getAttr(), getLayer(), symbols);
  if (failed(weight)) // (C1), (C2)
    return failure();
  if (MemRefType stored = weight->getStoredType(); stored != getType()) // (C3)
    return emitOpError() << "is " << getType() << ", but '@" << getName()
                         << "' is stored as " << stored;
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void MatmulOp::build(OpBuilder &b, OperationState &state, ValueRange rows,
                     FlatSymbolRefAttr matrix, RankedTensorType type,
                     Value layer, Value init, StringRef partOf, bool logits) {
  auto get = [&](size_t i) { return i < rows.size() ? rows[i] : Value(); };
  build(b, state, init.getType(), rows[0], get(1), get(2), get(3), matrix,
        TypeAttr::get(type), layer, /*column=*/Value(), init,
        b.getStringAttr(partOf), logits ? b.getUnitAttr() : UnitAttr(),
        ScheduleAttr(), TileAttr(), IntegerAttr());
}

static ShapedType getShaped(Value value) {
  return cast<ShapedType>(value.getType());
}

/// Whether an instruction takes elements of the matrix and of rows.
static bool takes(const InstructionInfo &info, const ElementFormat &format,
                  Type rows) {
  using Elements = InstructionInfo::Elements;
  bool isBF16 = format.kind == llamaabi::ElementKind::BF16 && rows.isBF16();
  return info.takesBytes()
             ? format.isInteger()
             : !format.isInteger() && (info.matrix == Elements::Any || isBF16);
}

static LogicalResult verifyTile(MatmulOp op, TileAttr tile) {
  const InstructionInfo &info = getInfo(tile.getInstruction());
  Type rows = getElementTypeOrSelf(op.getRows().getType());
  Type element = op.getMatrixTensor().getElementType();
  if (!takes(info, getElementFormat(element), rows)) // (C5)
    return op.emitOpError() << "'" << info.name << "' does not take " << element
                            << " and rows of " << rows;
  return success();
}

/// That a tile is what it is to be computed into. (C9)
static LogicalResult verifyTileSize(MatmulOp op, TileAttr tile) {
  bool isRegisters =
      getInfo(tile.getInstruction()).kind == InstructionInfo::Kind::Tile;
  int64_t rows = op.getRowCount(), columns = op.getColumnCount();
  bool isHigh = rows == ShapedType::kDynamic || rows == tile.getRows() ||
                (tile.isBlock() && rows < tile.getRows());
  bool isWide = columns == ShapedType::kDynamic ||
                (columns <= tile.getColumns() &&
                 !(isRegisters && columns % PanelLayout::kPanelRows) &&
                 !(tile.isBlock() && columns % (2 * PanelLayout::kPanelRows)));
  if (isHigh && isWide)
    return success();
  return op.emitOpError() << "has a tile of " << tile.getRows() << " x "
                          << tile.getColumns() << ", but is computed into "
                          << op.getInit().getType();
}

static LogicalResult verifyFactors(MatmulOp op) {
  RankedTensorType matrix = op.getMatrixTensor();
  PanelLayout layout{getElementFormat(matrix.getElementType())};
  bool isQuantized = layout.format.isInteger();
  bool isI8 = getElementTypeOrSelf(op.getRows().getType()).isInteger(8);
  bool hasFactors = op.getScales() && op.getSums();
  if (isQuantized
          ? !isI8 || !hasFactors
          : isI8 || op.getScales() || op.getSums() || op.getLow()) // (C2)
    return op.emitOpError()
           << "a matrix of " << matrix.getElementType() << " takes "
           << (isQuantized ? "rows of i8 with scales and sums"
                           : "rows of f32 or bf16 without scales and sums");
  if (!isQuantized)
    return success();
  int64_t groups = layout.getGroups(op.getDepth());
  for (Value factors : {op.getScales(), op.getSums()})
    if (getShaped(factors).getDimSize(1) != groups) // (C3)
      return op.emitOpError()
             << "expected " << groups << " scales and sums in a row, found "
             << getShaped(factors).getDimSize(1);
  if (op.getLow() &&
      getShaped(op.getLow()).getShape() != getShaped(op.getRows()).getShape())
    return op.emitOpError(
        "expected low bytes of the shape of the rows"); // (C3)
  return success();
}

LogicalResult MatmulOp::verify() {
  RankedTensorType matrix = getMatrixTensor();
  if (matrix.getRank() != 2 || !matrix.hasStaticShape() ||
      !isElementType(matrix.getElementType())) // (C1)
    return emitOpError() << "expected a matrix, found " << matrix;
  PanelLayout layout{getElementFormat(matrix.getElementType())};
  int64_t depth = layout.format.isInteger()
                      ? layout.getPaddedColumns(getDepth())
                      : getDepth();
  if (getShaped(getRows()).getDimSize(1) != depth) // (C1)
    return emitOpError() << "expected rows of " << depth << " columns, found "
                         << getShaped(getRows()).getDimSize(1);
  if (failed(verifyFactors(*this)))
    return failure();
  int64_t first = 0;
  if (getColumn())
    first = getConstantIntValue(getColumn()).value_or(0);
  if (getColumnCount() != ShapedType::kDynamic &&
      first + getColumnCount() > matrix.getDimSize(0)) // (C4)
    return emitOpError() << "columns " << first << " to "
                         << first + getColumnCount() - 1 << " of a matrix with "
                         << matrix.getDimSize(0) << " rows";
  SmallVector<TileAttr> tiles;
  if (TileAttr tile = getTileAttr()) {
    if (failed(verifyTileSize(*this, tile)))
      return failure();
    tiles.push_back(tile);
  }
  if (ScheduleAttr schedule = getScheduleAttr())
    for (NestAttr nest : {schedule.getRows(), schedule.getPrefill()})
      if (nest)
        llvm::append_range(tiles, nest.getTiles());
  for (TileAttr tile : tiles)
    if (failed(verifyTile(*this, tile)))
      return failure();
  bool isTensor = isa<RankedTensorType>(getInit().getType());
  if (isTensor != (getResult() != nullptr) ||
      (isTensor && getResult().getType() != getInit().getType())) // (C6)
    return emitOpError("expected a result of the type of a tensor that it is "
                       "computed into, and none of a memref");
  return success();
}

LogicalResult MatmulOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<WeightOp> weight =
      verifyWeight(*this, getMatrixAttr().getAttr(), getLayer(), symbols);
  if (failed(weight)) // (C7), (C8)
    return failure();
  if (weight->getElementTensorType() != getMatrixTensor() ||
      !weight->isInPanels()) // (C7)
    return emitOpError() << "expected '@" << getMatrix() << "' in panels and "
                         << weight->getElementTensorType() << ", found "
                         << getMatrixTensor();
  return success();
}

void MatmulOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  auto add = [&](OpOperand &operand, auto effect) {
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(effect, &operand);
  };
  add(getRowsMutable(), MemoryEffects::Read::get());
  for (MutableOperandRange operands :
       {getScalesMutable(), getSumsMutable(), getLowMutable()})
    for (OpOperand &operand : operands)
      add(operand, MemoryEffects::Read::get());
  add(getInitMutable(), MemoryEffects::Write::get());
}

//===----------------------------------------------------------------------===//
// Tiles of products
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> MatmulOp::getLoopIteratorTypes() {
  return {utils::IteratorType::parallel, utils::IteratorType::parallel};
}

SmallVector<Range> MatmulOp::getIterationDomain(OpBuilder &b) {
  Location loc = getLoc();
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  return {{zero, tensor::getMixedSize(b, loc, getInit(), 0), one},
          {zero, tensor::getMixedSize(b, loc, getInit(), 1), one}};
}

FailureOr<TilingResult>
MatmulOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                 ArrayRef<OpFoldResult> sizes) {
  Location loc = getLoc();
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  SmallVector<Operation *> slices;
  auto slice = [&](Value source, ArrayRef<OpFoldResult> at,
                   ArrayRef<OpFoldResult> extents) -> Value {
    if (!source)
      return source;
    slices.push_back(
        tensor::ExtractSliceOp::create(b, loc, source, at, extents, strides));
    return slices.back()->getResult(0);
  };
  auto rowsOf = [&](Value source) {
    if (!source)
      return source;
    return slice(source, {offsets[0], b.getIndexAttr(0)},
                 {sizes[0], tensor::getMixedSize(b, loc, source, 1)});
  };
  Value init = slice(getInit(), offsets, sizes);
  Value column = getValueOrCreateConstantIndexOp(b, loc, offsets[1]);
  if (getColumn())
    column = arith::AddIOp::create(b, loc, getColumn(), column);
  auto tiled = MatmulOp::create(
      b, loc, init.getType(), rowsOf(getRows()), rowsOf(getScales()),
      rowsOf(getSums()), rowsOf(getLow()), getMatrixAttr(), getMatrixTypeAttr(),
      getLayer(), column, init, getPartOfAttr(), getLogitsAttr(),
      getScheduleAttr(), getTileAttr(), getPrefetchAttr());
  return TilingResult{{tiled}, {tiled.getResult()}, slices};
}

LogicalResult MatmulOp::getResultTilePosition(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  return success();
}

FailureOr<TilingResult>
MatmulOp::generateResultTileValue(OpBuilder &b, unsigned,
                                  ArrayRef<OpFoldResult> offsets,
                                  ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(b, offsets, sizes);
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

LogicalResult BarrierOp::verify() {
  if (getGathers().size() != getCuts().size()) // (C1)
    return emitOpError() << "has " << getGathers().size() << " buffers and "
                         << getCuts().size() << " cuts";
  for (auto [buffer, attribute] : llvm::zip_equal(getGathers(), getCuts())) {
    int64_t dim = cast<CutAttr>(attribute).getDim();
    int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
    if (dim >= std::max<int64_t>(rank, 1)) // (C2)
      return emitOpError() << "cuts along dimension " << dim << " of "
                           << buffer.getType();
  }
  return success();
}
