//===- AMXIntegerTile.cpp - Products of bytes in tile registers -----------===//
//
//   kernel.matmul tile <"tdpbssd" 32 x 32>
//
//   =>  for groups
//         unpack the weights of the next group               4 bits, or 32
//         dots of the next group, exact, in tile registers
//         for rows:  sums += scales of the group, one for each lane, * dots
//
// A product of tiles takes its time, and scales have to wait for it. So the
// next group's is begun before the scales of this one are applied.
//
// Weights that are unpacked become signed on the way; for others the zero
// point's share is added to the dots. A group of 32 is half of a tile. So two
// groups make a step, and each is multiplied with 64 elements of the rows, of
// which 32 meet zeros:
//
//   lines  0 ..  7  of the first group    \ first product
//   lines  8 .. 15  zeros                 /  \ second product
//   lines 16 .. 23  of the second group      /
//
// Sums are what IntegerTile's are, bit for bit: integers are exact, and floats
// are added in the same order.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/AMXTile.h"
#include "compiler/CPU/Kernels/GroupScales.h"

using namespace mlir;
using namespace mlir::llama;

namespace {

class AMXIntegerTile final : public GroupScales {
public:
  AMXIntegerTile(RewriterBase &rewriter, MatmulOp op, Value panels)
      : GroupScales(rewriter, op, panels), vectors(findVectors()),
        inStep(std::max<int64_t>(1, kTileBytes / layout.format.group)),
        isUnpacked(layout.format.bits == 4 || inStep > 1),
        lines(layout.format.group / 4), flat(flatten()) {
    int64_t places = inStep > 1 ? 3 * lines : lines;
    if (isUnpacked)
      unpacked =
          allocate({std::ssize(vectors), places, kTileBytes}, b.getI8Type());
    dots = allocate({2 * inStep * countParts(), rows, columns}, b.getI32Type());
    sums = allocate({rows, columns}, b.getF32Type());
  }

  void lower() override;

private:
  /// Products of a group: with rows' bytes, or with low and with high ones.
  int64_t countParts() { return hasLowBytes ? 2 : 1; }
  /// The matrix as bytes in one row, of which views are tiles.
  Value flatten() {
    return memref::CollapseShapeOp::create(
        b, panels, SmallVector<ReassociationIndices>{{0, 1}});
  }
  /// Where the dots of a step begin: two steps take turns.
  Value getFirstDots(Value step) {
    return times(arith::RemUIOp::create(b, step, index(2)),
                 inStep * countParts());
  }

  void clear();
  void unpackGroup(Value group, int64_t number);
  /// The dots of a step.
  void multiplyStep(Value step);
  void multiply(Value step, int64_t number);
  SmallVector<Value> loadLeft(Value source, Value k);
  SmallVector<Value> loadRight(Value step, int64_t group, Value k);
  /// Adds the dots of a step, with their scales, to the sums.
  void addDots(Value step);
  Value readDots(Value first, Value row, Value start,
                 const ColumnVector &columns);

  SmallVector<ColumnVector> vectors; ///< one for each panel
  int64_t inStep;                    ///< groups of a step
  bool isUnpacked; ///< weights are copied before they are multiplied
  int64_t lines;   ///< of a group whose elements are bytes
  Value flat;
  Value unpacked; ///< [panels, lines, 64]
  Value dots;     ///< [number, rows, columns]
  Value sums; ///< [rows, columns]: not in the result's place, whose rows are
              ///< far apart, often by a power of two, and would push each
              ///< other out of the cache
};

} // namespace

void AMXIntegerTile::clear() {
  loop(index(rows), 1, [&](Value row) {
    for (const ColumnVector &columns : vectors)
      vector::StoreOp::create(
          b, zeros(floats()), sums,
          ValueRange{row, index(columns.panel * kTileRows)});
  });
  if (inStep == 1)
    return;
  for (const ColumnVector &columns : vectors)
    for (int64_t line = lines; line < 2 * lines; ++line)
      vector::StoreOp::create(
          b, constantBytes(0), unpacked,
          ValueRange{index(columns.panel), index(line), index(0)});
}

//===----------------------------------------------------------------------===//
// Dots
//===----------------------------------------------------------------------===//

/// The weights of group `group`, the step's `number`th, as bytes less the zero
/// point.
void AMXIntegerTile::unpackGroup(Value group, int64_t number) {
  int64_t parts = 8 / layout.format.bits;
  int64_t place = number * 2 * lines; // zeros lie between two groups
  Value begin = locateGroup(group);
  loop(index(layout.getGroupLines()), 1, [&](Value line) {
    Value byte = plus(begin, times(line, layout.getLineBytes()));
    for (const ColumnVector &columns : vectors) {
      Value stored =
          loadLanes(columns, byte, layout.getWordBytes(), b.getI8Type());
      SmallVector<Value> weights = {stored};
      if (layout.format.bits == 4)
        weights = {arith::AndIOp::create(b, stored, constantBytes(15)),
                   arith::ShRUIOp::create(b, stored, constantBytes(4))};
      for (auto [part, bytes] : llvm::enumerate(weights)) {
        if (layout.format.getZeroPoint() != 0)
          bytes = arith::SubIOp::create(
              b, bytes, constantBytes(layout.format.getZeroPoint()));
        Value at = plus(times(line, parts), place + static_cast<int64_t>(part));
        vector::StoreOp::create(b, bytes, unpacked,
                                ValueRange{index(columns.panel), at, index(0)});
      }
    }
  });
}

SmallVector<Value> AMXIntegerTile::loadLeft(Value source, Value k) {
  SmallVector<Value> tiles;
  for (int64_t row = 0; row < rows; row += kTileRows)
    tiles.push_back(amx::TileLoadOp::create(b, getTileType(b.getI8Type()),
                                            source, ValueRange{index(row), k}));
  return tiles;
}

/// 64 bytes from element `k` of the step on.
SmallVector<Value> AMXIntegerTile::loadRight(Value step, int64_t group,
                                             Value k) {
  SmallVector<Value> tiles;
  amx::TileType type = getTileType(b.getI8Type());
  Value line = arith::DivUIOp::create(b, k, index(4));
  for (const ColumnVector &columns : vectors) {
    if (isUnpacked) {
      tiles.push_back(amx::TileLoadOp::create(
          b, type, unpacked,
          ValueRange{index(columns.panel), plus(line, group * lines),
                     index(0)}));
      continue;
    }
    Value panel =
        times(plus(firstPanel, columns.panel), layout.getPanelBytes(depth));
    Value byte = plus(plus(panel, locateGroup(step)),
                      times(line, layout.getLineBytes()));
    Value stored = memref::ViewOp::create(
        b, MemRefType::get({kTileRows, kTileBytes}, b.getI8Type()), flat, byte,
        ValueRange{});
    tiles.push_back(amx::TileLoadOp::create(b, type, stored,
                                            ValueRange{index(0), index(0)}));
  }
  return tiles;
}

/// Dots number `number` of the step.
void AMXIntegerTile::multiply(Value step, int64_t number) {
  int64_t elements = inStep * layout.format.group;
  int64_t group = number / countParts();
  bool isLow = hasLowBytes && number % countParts() == 0;
  Value source = isLow ? op.getLow() : Value(op.getRows());
  Value first = times(step, elements);
  SmallVector<Value> accumulators;
  for (int64_t i = 0; i < rows / kTileRows * std::ssize(vectors); ++i)
    accumulators.push_back(
        amx::TileZeroOp::create(b, getTileType(b.getI32Type())));
  Instruction instruction = op.getTile()->getInstruction();
  accumulators = loop(
      elements, kTileBytes, accumulators, [&](Value k, ValueRange carried) {
        return emitTileProducts(b, instruction,
                                loadLeft(source, plus(first, k)),
                                loadRight(step, group, k), carried);
      });
  Value place = plus(getFirstDots(step), number);
  for (auto [i, sum] : llvm::enumerate(accumulators)) {
    int64_t panelsInTile = std::ssize(vectors);
    auto tile = static_cast<int64_t>(i);
    amx::TileStoreOp::create(b, dots,
                             ValueRange{place,
                                        index(tile / panelsInTile * kTileRows),
                                        index(tile % panelsInTile * kTileRows)},
                             sum);
  }
}

void AMXIntegerTile::multiplyStep(Value step) {
  if (isUnpacked)
    for (int64_t group = 0; group < inStep; ++group)
      unpackGroup(plus(times(step, inStep), group), group);
  for (int64_t number = 0; number < inStep * countParts(); ++number)
    multiply(step, number);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// A vector of one row's dots with a panel, of a group whose dots are those
/// from number `first` on.
Value AMXIntegerTile::readDots(Value first, Value row, Value start,
                               const ColumnVector &columns) {
  auto readPart = [&](int64_t part) -> Value {
    return vector::LoadOp::create(
        b, words(), dots,
        ValueRange{plus(first, part), row, index(columns.panel * kTileRows)});
  };
  Value sum = readPart(0);
  if (start)
    sum = arith::AddIOp::create(b, sum, start);
  return hasLowBytes ? joinBytes(sum, readPart(1)) : sum;
}

void AMXIntegerTile::addDots(Value step) {
  SmallVector<Value> numbers, places;
  SmallVector<SmallVector<GroupFactors>> factors(inStep);
  int64_t zeroPoint = isUnpacked ? 0 : layout.format.getZeroPoint();
  for (int64_t group = 0; group < inStep; ++group) {
    numbers.push_back(plus(times(step, inStep), group));
    places.push_back(plus(getFirstDots(step), group * countParts()));
    for (const ColumnVector &columns : vectors)
      factors[group].push_back(readGroupFactors(columns, numbers[group]));
  }
  loop(index(rows), 1, [&](Value row) {
    SmallVector<RowFactors> rowFactors;
    SmallVector<Value> starts;
    for (Value number : numbers) {
      rowFactors.push_back(readRowFactors(row, number));
      starts.push_back(zeroPoint != 0 ? readStart(row, number, zeroPoint)
                                      : Value());
    }
    for (auto [i, columns] : llvm::enumerate(vectors)) {
      Value column = index(columns.panel * kTileRows);
      Value sum = load(sums, row, column, kTileRows);
      for (int64_t group = 0; group < inStep; ++group)
        sum =
            addGroup(sum, readDots(places[group], row, starts[group], columns),
                     factors[group][i], rowFactors[group]);
      vector::StoreOp::create(b, sum, sums, ValueRange{row, column});
    }
  });
}

void AMXIntegerTile::lower() {
  clear();
  int64_t last = groups / inStep - 1;
  multiplyStep(index(0));
  loop(index(last), 1, [&](Value step) {
    multiplyStep(plus(step, 1));
    addDots(step);
  });
  addDots(index(last));
  loop(index(rows), 1, [&](Value row) {
    for (const ColumnVector &columns : vectors)
      store(load(sums, row, index(columns.panel * kTileRows), kTileRows), row,
            columns);
  });
}

void llama::lowerAMXIntegerTile(RewriterBase &rewriter, MatmulOp op,
                                Value panels) {
  AMXIntegerTile(rewriter, op, panels).lower();
}
