//===- RegisterTile.cpp - One tile of a product ---------------------------===//

#include "compiler/CPU/Kernels/RegisterTile.h"

#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::llama;

RegisterTile::RegisterTile(RewriterBase &rewriter, MatmulOp op, Value panels)
    : b(op.getLoc(), rewriter), op(op),
      info(getInfo(op.getTile()->getInstruction())),
      layout{getElementFormat(op.getMatrixTensor().getElementType())},
      lanes(info.lanes), rows(op.getRowCount()), columns(op.getColumnCount()),
      depth(op.getDepth()), panels(panels) {
  Value column = op.getColumn() ? op.getColumn() : index(0);
  Value size = index(PanelLayout::kPanelRows);
  firstPanel = arith::DivUIOp::create(b, column, size);
  laneInPanel = arith::RemUIOp::create(b, column, size);
}

SmallVector<RegisterTile::ColumnVector> RegisterTile::findVectors() const {
  SmallVector<ColumnVector> found;
  constexpr int64_t kPanel = PanelLayout::kPanelRows;
  for (int64_t column = 0; column < columns; column += lanes)
    found.push_back(
        {column / kPanel, column % kPanel, std::min(lanes, columns - column)});
  return found;
}

Value RegisterTile::loadLanes(const ColumnVector &columns, Value byte,
                              int64_t laneBytes, Type element) {
  Value lane = plus(laneInPanel, columns.first);
  Value at = plus(byte, times(lane, laneBytes));
  Value stored = vector::LoadOp::create(
      b, VectorType::get(columns.count * laneBytes, b.getI8Type()), panels,
      ValueRange{plus(firstPanel, columns.panel), at});
  if (columns.count < lanes)
    stored = vector::InsertStridedSliceOp::create(
        b, stored, zeros(VectorType::get(lanes * laneBytes, b.getI8Type())),
        ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
  if (element.isInteger(8))
    return stored;
  int64_t count = lanes * laneBytes * 8 / element.getIntOrFloatBitWidth();
  return vector::BitCastOp::create(b, VectorType::get(count, element), stored);
}

Value RegisterTile::loadLine(const ColumnVector &columns, Value byte,
                             Type element) {
  if (op.getPrefetch() && columns.first == 0) {
    int64_t panelsOn =
        static_cast<int64_t>(*op.getPrefetch()) / PanelLayout::kPanelRows;
    memref::PrefetchOp::create(
        b, panels, ValueRange{plus(firstPanel, columns.panel + panelsOn), byte},
        /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
  }
  return loadLanes(columns, byte, layout.getWordBytes(), element);
}

Value RegisterTile::load(Value memref, Value row, Value at, int64_t count) {
  Type element = getElementTypeOrSelf(memref.getType());
  return vector::LoadOp::create(b, VectorType::get(count, element), memref,
                                ValueRange{row, at});
}

Value RegisterTile::loadWord(Value memref, Value row, Value at, int64_t count,
                             Type element) {
  auto word = VectorType::get(1, b.getI32Type());
  Value all = splat(
      words(), vector::BitCastOp::create(b, word, load(memref, row, at, count))
                   .getResult());
  if (element.isInteger(32))
    return all;
  int64_t perLane = 32 / element.getIntOrFloatBitWidth();
  return vector::BitCastOp::create(b, VectorType::get(lanes * perLane, element),
                                   all);
}

void RegisterTile::store(Value lanesOfRow, Value row,
                         const ColumnVector &columns) {
  if (columns.count < lanes)
    lanesOfRow = vector::ExtractStridedSliceOp::create(
        b, lanesOfRow, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{columns.count},
        ArrayRef<int64_t>{1});
  Value column = index(columns.panel * PanelLayout::kPanelRows + columns.first);
  vector::StoreOp::create(b, lanesOfRow, op.getInit(), ValueRange{row, column});
}

SmallVector<Value>
RegisterTile::loop(Value end, int64_t step, ValueRange inits,
                   function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, index(0), end, index(step), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return loop.getResults();
}

void RegisterTile::loop(Value end, int64_t step,
                        function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, index(0), end, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Value RegisterTile::allocate(ArrayRef<int64_t> shape, Type element) {
  return memref::AllocaOp::create(b, MemRefType::get(shape, element),
                                  b.getI64IntegerAttr(64));
}
