//===- IntegerTile.cpp - Products of integers with vectors ----------------===//
//
//   kernel.matmul tile <"vpdpbusd.512" 8 x 32>
//
//   =>  for groups
//         dots of a group, exact: for each 4 elements k .. k + 3
//           lane n += the 4 bytes of matrix row n times those of the row
//         sums += scales of the group, one for each lane, * dots
//
// Scales are applied once for a group, not for every vector. The 4 bytes of the
// row are the same in all lanes.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/Emit.h"
#include "compiler/CPU/Kernels/GroupScales.h"

using namespace mlir;
using namespace mlir::llama;

namespace {

// The smallest group.
constexpr int64_t kSmallestGroup = 32;

class IntegerTile final : public GroupScales {
public:
  IntegerTile(RewriterBase &rewriter, MatmulOp op, Value panels)
      : GroupScales(rewriter, op, panels),
        instruction(op.getTile()->getInstruction()),
        takesSigned(info.matrix == InstructionInfo::Elements::Signed),
        vectors(findVectors()), step(findStep()) {}

  void lower() override;

private:
  using Add = function_ref<Value(Value sum, Value weights, Value row)>;

  int64_t findStep() const;
  SmallVector<Value> addGroups(Value group, ValueRange sums);
  SmallVector<Value> startDots(Value group);
  /// Adds the products of elements at .. at + step - 1 of the row, which begin
  /// at byte `byte` of the panels.
  SmallVector<Value> addStep(Value at, Value byte, ValueRange dots);
  SmallVector<Value> addDots(Value at, Value byte, ValueRange dots, Add add);
  /// One integer for each sum.
  SmallVector<Value> joinDots(ValueRange dots);
  /// Vectors of 4 elements of every lane, as they are multiplied.
  SmallVector<Value> readLine(const ColumnVector &columns, Value byte);

  Instruction instruction;
  bool takesSigned;
  SmallVector<ColumnVector> vectors;
  int64_t step; // elements that are written out
};

} // namespace

/// A group is written out, but where what a line needs beside its sums fills the
/// registers: the code generator would begin several lines at once and keep
/// what it made of their bytes in memory.
int64_t IntegerTile::findStep() const {
  bool fillsRegisters =
      instruction == Instruction::VPMADDWD256 && layout.format.bits == 8;
  return fillsRegisters ? layout.getLineColumns() : kSmallestGroup;
}

SmallVector<Value> IntegerTile::readLine(const ColumnVector &columns,
                                         Value byte) {
  Value stored = loadLine(columns, byte, b.getI8Type());
  if (layout.format.bits == 4)
    return {arith::AndIOp::create(b, stored, constantBytes(15)),
            arith::ShRUIOp::create(b, stored, constantBytes(4))};
  if (takesSigned)
    stored = arith::XOrIOp::create(b, stored, constantBytes(-128));
  return {stored};
}

SmallVector<Value> IntegerTile::startDots(Value group) {
  // Weights as they are multiplied, less what stands for zero there.
  int64_t zeroPoint = layout.format.getZeroPoint();
  if (layout.format.bits == 8 && takesSigned)
    zeroPoint -= 128;
  SmallVector<Value> dots;
  for (int64_t row = 0; row < rows; ++row)
    dots.append(vectors.size(), readStart(index(row), group, zeroPoint));
  if (hasLowBytes) // dots of high bytes follow those of low ones
    dots.append(rows * vectors.size(), zeros(words()));
  return dots;
}

SmallVector<Value> IntegerTile::joinDots(ValueRange dots) {
  if (!hasLowBytes)
    return dots;
  SmallVector<Value> result;
  for (auto [low, high] : llvm::zip_equal(dots.take_front(dots.size() / 2),
                                          dots.drop_front(dots.size() / 2)))
    result.push_back(joinBytes(low, high));
  return result;
}

SmallVector<Value> IntegerTile::addStep(Value at, Value byte, ValueRange dots) {
  if (!accumulatesInInt16(instruction, layout.format.bits))
    return addDots(at, byte, dots, [&](Value sum, Value weights, Value row) {
      return emitMultiplyAdd(b, instruction, sum, weights, row);
    });
  Value none = zeros(VectorType::get(2 * lanes, b.getI16Type()));
  SmallVector<Value> sums =
      addDots(at, byte, SmallVector<Value>(dots.size(), none),
              [&](Value sum, Value weights, Value row) {
                return emitInt16MultiplyAdd(b, sum, weights, row);
              });
  for (auto [sum, dot] : llvm::zip_equal(sums, dots))
    sum = emitInt16Sums(b, dot, sum);
  return sums;
}

SmallVector<Value> IntegerTile::addDots(Value at, Value byte, ValueRange dots,
                                        Add add) {
  SmallVector<Value> result(dots);
  for (int64_t line = 0; line < step / layout.getLineColumns(); ++line) {
    SmallVector<SmallVector<Value>> weights;
    for (const ColumnVector &columns : vectors)
      weights.push_back(
          readLine(columns, plus(byte, line * layout.getLineBytes())));
    int64_t parts = std::ssize(weights[0]);
    for (int64_t part = 0; part < parts; ++part)
      for (int64_t row = 0; row < rows; ++row) {
        Value k = plus(at, 4 * (line * parts + part));
        SmallVector<Value> bytes;
        if (hasLowBytes)
          bytes.push_back(
              loadWord(op.getLow(), index(row), k, 4, b.getI8Type()));
        bytes.push_back(
            loadWord(op.getRows(), index(row), k, 4, b.getI8Type()));
        for (auto [number, x] : llvm::enumerate(bytes))
          for (size_t i = 0; i < vectors.size(); ++i) {
            Value &sum = result[(number * rows + row) * vectors.size() + i];
            sum = add(sum, weights[i][part], x);
          }
      }
  }
  return result;
}

SmallVector<Value> IntegerTile::addGroups(Value group, ValueRange sums) {
  int64_t size = layout.format.group;
  Value first = times(group, size), byte = locateGroup(group);
  SmallVector<Value> dots = startDots(group);
  if (size == step)
    dots = addStep(first, byte, dots);
  else
    dots = loop(size, step, dots, [&](Value at, ValueRange dots) {
      Value line =
          arith::DivUIOp::create(b, at, index(layout.getLineColumns()));
      return addStep(plus(first, at),
                     plus(byte, times(line, layout.getLineBytes())), dots);
    });
  dots = joinDots(dots);
  SmallVector<RowFactors> rowFactors;
  for (int64_t row = 0; row < rows; ++row)
    rowFactors.push_back(readRowFactors(index(row), group));
  SmallVector<Value> result(sums);
  for (auto [i, columns] : llvm::enumerate(vectors)) {
    GroupFactors factors = readGroupFactors(columns, group);
    for (int64_t row = 0; row < rows; ++row) {
      Value &sum = result[row * vectors.size() + i];
      sum = addGroup(sum, dots[row * vectors.size() + i], factors,
                     rowFactors[row]);
    }
  }
  return result;
}

void IntegerTile::lower() {
  SmallVector<Value> sums(rows * vectors.size(), zeros(floats()));
  sums = loop(groups, 1, sums, [&](Value group, ValueRange carried) {
    return addGroups(group, carried);
  });
  for (int64_t row = 0; row < rows; ++row)
    for (auto [i, columns] : llvm::enumerate(vectors))
      store(sums[row * vectors.size() + i], index(row), columns);
}

void llama::lowerIntegerTile(RewriterBase &rewriter, MatmulOp op,
                             Value panels) {
  IntegerTile(rewriter, op, panels).lower();
}
