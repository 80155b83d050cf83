//===- PanelGather.cpp - Rows of a table that is stored in panels ---------===//
//
//   table[list[i], :]  =>  forall row: for lines: 4 bytes -> 1 to 8 elements
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Conversion/Lowerings.h"

#include "dialects/Kernel/IR/KernelOps.h"

using namespace mlir;
using namespace mlir::llama;

namespace {

/// One row of a table.
class PanelRow {
public:
  PanelRow(RowBuilder &b, Value panels, RankedTensorType table, Value row)
      : b(b), layout{getElementFormat(table.getElementType())}, panels(panels),
        element(table.getElementType()) {
    Value size = b.index(PanelLayout::kPanelRows);
    panel = arith::DivUIOp::create(b, row, size);
    lane = arith::RemUIOp::create(b, row, size);
  }

  /// The elements of a line, f32.
  Value decodeLine(Value line);

private:
  Value load(Value byte, int64_t bytes, Type type) {
    Value stored =
        vector::LoadOp::create(b, VectorType::get(bytes, b.getI8Type()), panels,
                               ValueRange{panel, byte});
    int64_t bits = type.getIntOrFloatBitWidth();
    return vector::BitCastOp::create(b, VectorType::get(8 * bytes / bits, type),
                                     stored);
  }
  Value plus(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value times(Value x, int64_t y) {
    return arith::MulIOp::create(b, x, b.index(y));
  }
  Value splat(Type type, Value scalar) {
    return vector::BroadcastOp::create(b, type, scalar);
  }
  Value decodeIntegers(Value stored, Value group);

  RowBuilder &b;
  PanelLayout layout;
  Value panels, panel, lane;
  Type element;
};

} // namespace

Value PanelRow::decodeIntegers(Value stored, Value group) {
  auto bytes = cast<VectorType>(stored.getType());
  auto splatByte = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(bytes, static_cast<int8_t>(value)));
  };
  if (layout.format.bits == 4) {
    Value low = arith::AndIOp::create(b, stored, splatByte(15));
    Value high = arith::ShRUIOp::create(b, stored, splatByte(4));
    stored = vector::ShuffleOp::create(
        b, low, high, ArrayRef<int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
  }
  int64_t count = layout.getLineColumns();
  auto words = VectorType::get(count, b.getI32Type());
  auto floats = VectorType::get(count, b.getF32Type());
  Value zero = arith::ConstantOp::create(
      b, DenseElementsAttr::get(
             words, static_cast<int32_t>(layout.format.getZeroPoint())));
  Value integers = arith::SubIOp::create(
      b, arith::ExtUIOp::create(b, words, stored).getResult(), zero);
  Value begin = times(group, layout.getGroupBytes());
  auto factor = [&](int64_t at) {
    Value byte = plus(plus(begin, b.index(at)), times(lane, 2));
    Value half = vector::ExtractOp::create(b, load(byte, 2, b.getF16Type()), 0);
    return splat(floats, b.convertFloat(half, b.getF32Type()));
  };
  Value value = arith::MulFOp::create(
      b, arith::SIToFPOp::create(b, floats, integers).getResult(),
      factor(layout.locateScales(0)));
  if (layout.format.hasMinimum)
    value = arith::AddFOp::create(b, value, factor(layout.locateMinimums(0)));
  return value;
}

Value PanelRow::decodeLine(Value line) {
  int64_t bytes = layout.getWordBytes();
  Value lines = b.index(layout.getGroupLines());
  Value group = arith::DivUIOp::create(b, line, lines);
  Value inGroup = arith::RemUIOp::create(b, line, lines);
  Value byte = plus(plus(times(group, layout.getGroupBytes()),
                         times(inGroup, layout.getLineBytes())),
                    times(lane, bytes));
  if (layout.format.isInteger())
    return decodeIntegers(load(byte, bytes, b.getI8Type()), group);
  Value stored = load(byte, bytes, element);
  return b.convertFloat(
      stored, VectorType::get(layout.getLineColumns(), b.getF32Type()));
}

/// Row `row` of the table, f32, into `into`.
static Value decodeRow(RowBuilder &b, Value panels, RankedTensorType table,
                       Value row, Value into) {
  PanelRow source(b, panels, table, row);
  PanelLayout layout{getElementFormat(table.getElementType())};
  int64_t columns = table.getDimSize(1), count = layout.getLineColumns();
  auto write = [&](RowBuilder &b, Value values, Value tensor, Value line) {
    Value at = arith::MulIOp::create(b, line, b.index(count));
    return vector::TransferWriteOp::create(b, values, tensor, ValueRange{at},
                                           ArrayRef<bool>{true})
        .getResult();
  };
  int64_t whole = columns / count;
  into = b.loop(b.index(whole), into,
                [&](RowBuilder &b, Value line, ValueRange carried) {
                  PanelRow source(b, panels, table, row);
                  return SmallVector<Value>{
                      write(b, source.decodeLine(line), carried[0], line)};
                })[0];
  if (int64_t rest = columns % count) {
    Value line = b.index(whole);
    Value some = vector::ExtractStridedSliceOp::create(
        b, source.decodeLine(line), ArrayRef<int64_t>{0},
        ArrayRef<int64_t>{rest}, ArrayRef<int64_t>{1});
    into = write(b, some, into, line);
  }
  return into;
}

Value llama::lowerPanelGather(RowBuilder &b, Value panels,
                              RankedTensorType table, Value list) {
  int64_t columns = table.getDimSize(1);
  auto at = [](RowBuilder &b, ValueRange numbers) {
    return SmallVector<OpFoldResult>{numbers[0], b.getIndexAttr(0)};
  };
  return b.forall(ArrayRef<OpFoldResult>{b.rowCount(list)},
                  b.emptyRows(list, columns, b.getF32Type()), {1, columns}, at,
                  [&](RowBuilder &b, ValueRange numbers, Value shared) {
                    Value row = b.extractIndex(list, numbers[0]);
                    Value into =
                        b.slice(shared, at(b, numbers), {1, columns}, 1);
                    return decodeRow(b, panels, table, row, into);
                  });
}
