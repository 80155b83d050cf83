//===- FloatTile.cpp - Products of floating point with vectors ------------===//
//
//   kernel.matmul tile <"fma.512" 8 x 32>
//
//   =>  for lines:  lines of two panels, 16 lanes each
//         for rows:  sums += line * what the row has for it, in every lane
//
// A line of bf16 has pairs of neighbours. Where an instruction adds pairs it
// takes them as they are. Elsewhere the lower element of a pair becomes f32 by
// a shift, for a bf16 is the upper half of an f32, and the upper one by a mask;
// first the lower ones are added, then the upper ones.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/Emit.h"
#include "compiler/CPU/Kernels/RegisterTile.h"

using namespace mlir;
using namespace mlir::llama;

namespace {

// Lines of a step that is written out.
constexpr int64_t kLines = 4;

class FloatTile final : public RegisterTile {
public:
  FloatTile(RewriterBase &rewriter, MatmulOp op, Value panels)
      : RegisterTile(rewriter, op, panels), vectors(findVectors()),
        isDot(info.kind == InstructionInfo::Kind::Dot),
        hasBF16Rows(getElementTypeOrSelf(op.getRows()).isBF16()) {}

  void lower() override;

private:
  /// Adds the products of a line, of which a row has all elements or, at the
  /// end of an odd sum, the first.
  void addLine(Value line, MutableArrayRef<Value> sums, bool isWhole = true);
  void addPairs(ArrayRef<Value> lines, Value k, bool isWhole,
                MutableArrayRef<Value> sums);
  void add(ArrayRef<Value> weights, function_ref<Value(Value)> getRow,
           MutableArrayRef<Value> sums);

  /// Elements k and k + 1 of a row of bf16 in every lane; the second is zero if
  /// the row ends.
  Value loadPair(Value row, Value k, bool isWhole, Type element);
  /// Element k of a row in every lane, f32.
  Value loadElement(Value row, Value k);
  /// The lower or the upper elements of pairs, which come as words.
  Value widen(Value pairs, bool isUpper);

  SmallVector<ColumnVector> vectors;
  bool isDot, hasBF16Rows;
};

} // namespace

Value FloatTile::loadPair(Value row, Value k, bool isWhole, Type element) {
  if (isWhole)
    return loadWord(op.getRows(), row, k, 2, element);
  Value last = vector::BitCastOp::create(b, VectorType::get(1, b.getI16Type()),
                                         load(op.getRows(), row, k, 1));
  Value word =
      arith::ExtUIOp::create(b, VectorType::get(1, b.getI32Type()), last);
  Value all = splat(words(), word);
  if (element.isInteger(32))
    return all;
  return vector::BitCastOp::create(b, VectorType::get(2 * lanes, element), all);
}

Value FloatTile::loadElement(Value row, Value k) {
  Value element = memref::LoadOp::create(b, op.getRows(), ValueRange{row, k});
  if (hasBF16Rows)
    element = arith::ExtFOp::create(b, b.getF32Type(), element);
  return splat(floats(), element);
}

Value FloatTile::widen(Value pairs, bool isUpper) {
  Value word =
      isUpper
          ? arith::AndIOp::create(b, pairs, constantWords(-65536)).getResult()
          : arith::ShLIOp::create(b, pairs, constantWords(16)).getResult();
  return arith::BitcastOp::create(b, floats(), word);
}

void FloatTile::add(ArrayRef<Value> weights, function_ref<Value(Value)> getRow,
                    MutableArrayRef<Value> sums) {
  Instruction instruction = op.getTile()->getInstruction();
  for (int64_t row = 0; row < rows; ++row) {
    Value factor = getRow(index(row));
    for (auto [i, weight] : llvm::enumerate(weights)) {
      Value &sum = sums[row * weights.size() + i];
      sum = emitMultiplyAdd(b, instruction, sum, weight, factor);
    }
  }
}

void FloatTile::addPairs(ArrayRef<Value> lines, Value k, bool isWhole,
                         MutableArrayRef<Value> sums) {
  if (isDot)
    return add(
        lines,
        [&](Value row) { return loadPair(row, k, isWhole, b.getBF16Type()); },
        sums);
  for (bool isUpper : {false, true}) {
    if (isUpper && !isWhole)
      break;
    SmallVector<Value> weights;
    for (Value line : lines)
      weights.push_back(widen(line, isUpper));
    add(
        weights,
        [&](Value row) {
          return hasBF16Rows
                     ? widen(loadPair(row, k, isWhole, b.getI32Type()), isUpper)
                     : loadElement(row, plus(k, isUpper));
        },
        sums);
  }
}

void FloatTile::addLine(Value line, MutableArrayRef<Value> sums, bool isWhole) {
  bool isBF16 = layout.format.kind == llamaabi::ElementKind::BF16;
  bool isF16 = layout.format.kind == llamaabi::ElementKind::F16;
  Type element = isF16    ? Type(b.getF16Type())
                 : isDot  ? Type(b.getBF16Type())
                 : isBF16 ? Type(b.getI32Type())
                          : Type(b.getF32Type());
  Value byte = times(line, layout.getLineBytes());
  SmallVector<Value> lines;
  for (const ColumnVector &columns : vectors) {
    lines.push_back(loadLine(columns, byte, element));
    if (isF16)
      lines.back() = arith::ExtFOp::create(b, floats(), lines.back());
  }
  Value k = times(line, layout.getLineColumns());
  if (isBF16)
    return addPairs(lines, k, isWhole, sums);
  add(lines, [&](Value row) { return loadElement(row, k); }, sums);
}

void FloatTile::lower() {
  SmallVector<Value> sums(rows * vectors.size(), zeros(floats()));
  int64_t lines = depth / layout.getLineColumns();
  int64_t inSteps = lines / kLines * kLines;
  if (inSteps > 0)
    sums = loop(inSteps, kLines, sums, [&](Value line, ValueRange carried) {
      SmallVector<Value> next(carried);
      for (int64_t i = 0; i < kLines; ++i)
        addLine(plus(line, i), next);
      return next;
    });
  for (int64_t line = inSteps; line < lines; ++line)
    addLine(index(line), sums);
  if (depth % layout.getLineColumns() != 0)
    addLine(index(lines), sums, /*isWhole=*/false);
  for (int64_t row = 0; row < rows; ++row)
    for (auto [i, columns] : llvm::enumerate(vectors))
      store(sums[row * vectors.size() + i], index(row), columns);
}

void llama::lowerFloatTile(RewriterBase &rewriter, MatmulOp op, Value panels) {
  FloatTile(rewriter, op, panels).lower();
}
