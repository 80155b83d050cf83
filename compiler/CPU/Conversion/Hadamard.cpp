//===- Hadamard.cpp - The Walsh-Hadamard transform of rows ----------------===//
//
//   forall row
//     for 64 elements:       (a, b) -> (a + b, a - b), 1, 2, 4 .. 32 apart
//     for stride 64, 128 ..
//       for 64 elements:     the same with the 64 that are a stride further
//
// Pairs closer than 64 meet within a vector that stays in registers; so a row
// of n elements is read and written log2(n / 64) + 1 times, near by. Each row
// is transformed by one thread, in one order.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Conversion/Lowerings.h"

#include <cmath>

using namespace mlir;
using namespace mlir::llama;

namespace {

/// Elements of a row that are handled at once, at most.
constexpr int64_t kBlock = 64;

class RowTransform {
public:
  RowTransform(RowBuilder &b, int64_t columns)
      : b(b), columns(columns), block(std::min(columns, kBlock)),
        type(VectorType::get(block, b.getF32Type())) {}

  /// `row` [columns], transformed in place.
  Value transform(Value row) {
    row = b.loop(b.index(columns / block), row,
                 [&](RowBuilder &b, Value i, ValueRange carried) {
                   Value at = arith::MulIOp::create(b, i, b.index(block));
                   Value x = transformWithin(b, read(b, carried[0], at));
                   if (columns == block)
                     x = scale(b, x);
                   return SmallVector<Value>{write(b, x, carried[0], at)};
                 })[0];
    for (int64_t stride = block; stride < columns; stride *= 2)
      row = addDistant(row, stride);
    return row;
  }

private:
  static Value plus(RowBuilder &b, Value x, Value y) {
    return arith::AddIOp::create(b, x, y);
  }
  Value read(RowBuilder &b, Value row, Value at) {
    return vector::TransferReadOp::create(b, type, row, at, b.f32(0.0),
                                          ArrayRef<bool>{true});
  }
  static Value write(RowBuilder &b, Value values, Value row, Value at) {
    return vector::TransferWriteOp::create(b, values, row, ValueRange{at},
                                           ArrayRef<bool>{true})
        .getResult();
  }
  Value scale(RowBuilder &b, Value values) {
    auto factor = static_cast<float>(1.0 / std::sqrt(double(columns)));
    Value factors =
        arith::ConstantOp::create(b, DenseElementsAttr::get(type, factor));
    return arith::MulFOp::create(b, values, factors);
  }

  /// All sums and differences within a block.
  Value transformWithin(RowBuilder &b, Value x) {
    for (int64_t stride = 1; stride < block; stride *= 2) {
      SmallVector<int64_t> partners;
      SmallVector<float> signs;
      for (int64_t i = 0; i < block; ++i) {
        partners.push_back(i ^ stride);
        signs.push_back((i & stride) == 0 ? 1.0F : -1.0F);
      }
      Value partner = vector::ShuffleOp::create(b, x, x, partners);
      Value sign = arith::ConstantOp::create(
          b, DenseElementsAttr::get(type, ArrayRef<float>(signs)));
      x = math::FmaOp::create(b, x, sign, partner);
    }
    return x;
  }

  /// Sums and differences of blocks that are `stride` apart.
  Value addDistant(Value row, int64_t stride) {
    int64_t run = stride / block; // pairs next to each other
    bool isLast = 2 * stride == columns;
    return b.loop(
        b.index(columns / block / 2), row,
        [&](RowBuilder &b, Value i, ValueRange carried) {
          Value before = arith::SubIOp::create(
              b, i, arith::RemUIOp::create(b, i, b.index(run)).getResult());
          Value first =
              arith::MulIOp::create(b, plus(b, i, before), b.index(block));
          Value second = plus(b, first, b.index(stride));
          Value x = read(b, carried[0], first);
          Value y = read(b, carried[0], second);
          Value sum = arith::AddFOp::create(b, x, y);
          Value difference = arith::SubFOp::create(b, x, y);
          if (isLast) {
            sum = scale(b, sum);
            difference = scale(b, difference);
          }
          Value next = write(b, sum, carried[0], first);
          return SmallVector<Value>{write(b, difference, next, second)};
        })[0];
  }

  RowBuilder &b;
  int64_t columns, block;
  VectorType type;
};

} // namespace

Value llama::lowerHadamard(RowBuilder &b, Value rows) {
  int64_t columns = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  auto offsets = [](RowBuilder &b, ValueRange numbers) {
    return SmallVector<OpFoldResult>{numbers[0], b.getIndexAttr(0)};
  };
  return b.forall(
      ArrayRef<OpFoldResult>{b.rowCount(rows)}, rows, {1, columns}, offsets,
      [&](RowBuilder &b, ValueRange numbers, Value shared) {
        Value row = b.slice(shared, offsets(b, numbers), {1, columns}, 1);
        return RowTransform(b, columns).transform(row);
      });
}
