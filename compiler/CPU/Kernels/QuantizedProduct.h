//===- QuantizedProduct.h - A tile of a quantized product -------*- C++ -*-===//
//
// What the kernels of products with !llama.quantized matrices share: how the
// operands of a tile of static shape are read, and what is done to the exact
// dots of a group. So their sums have the same bits (P4).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_KERNELS_QUANTIZEDPRODUCT_H
#define LLAMA_COMPILER_CPU_KERNELS_QUANTIZEDPRODUCT_H

#include "dialects/Llama/IR/LlamaTypes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {

class QuantizedProduct {
public:
  /// `op` is of static shape and has kQuantizedAttr. `lanes` are those of a
  /// vector of f32.
  QuantizedProduct(RewriterBase &rewriter, linalg::GenericOp op, int64_t lanes);

protected:
  /// Operands of the product, see Quantized.cpp.
  enum Operand : unsigned {
    RowIntegers,
    RowScales,
    RowSums,
    Elements,
    Scales,
    Minimums
  };

  /// A vector of columns: lanes [first, first + count) of a panel.
  struct Slot {
    int64_t panel, first, count;
  };

  /// Of a group of a row, the same in all lanes.
  struct RowFactors {
    Value scale;
    Value sum; ///< times the scale, what a minimum is multiplied with; or null
  };

  /// Of a group of the matrix, lane by lane.
  struct GroupFactors {
    Value scales, minimums; ///< minimums: or null
  };

  SmallVector<Slot> findSlots();
  RowFactors readRowFactors(Value row, Value group);
  GroupFactors readGroupFactors(const Slot &slot, Value group);
  /// What the dots of a group start with if the number `zeroPoint` stands for
  /// zero in the weights as they are multiplied; in all lanes.
  Value readStart(Value row, Value group, int64_t zeroPoint);
  /// The dots of rows of 16 bits.
  Value joinBytes(Value low, Value high);
  /// The sum with the dots of one more group.
  Value addGroup(Value sum, Value dots, const GroupFactors &factors,
                 const RowFactors &row);

  /// Low bytes of rows of 16 bits.
  unsigned getLowBytes() { return op.getNumDpsInputs() - 1; }
  /// The place of the result, whatever is there.
  Value getResultPlace();

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value plus(Value x, int64_t y) {
    return y == 0 ? x : arith::AddIOp::create(b, x, index(y)).getResult();
  }
  Value source(unsigned operand) {
    return op.getDpsInputOperand(operand)->get();
  }
  Value read(Value tensor, ArrayRef<Value> at, int64_t count);
  Value read(unsigned operand, ArrayRef<Value> at, int64_t count) {
    return read(source(operand), at, count);
  }
  Value write(Value vector, Value into, ArrayRef<Value> at);
  /// Fills up to `count` elements with zeros.
  Value pad(Value vector, int64_t count);
  Value splat(Type type, Value scalar) {
    return vector::BroadcastOp::create(b, type, scalar);
  }
  VectorType words() { return VectorType::get(lanes, b.getI32Type()); }
  VectorType floats() { return VectorType::get(lanes, b.getF32Type()); }
  VectorType bytes() { return VectorType::get(4 * lanes, b.getI8Type()); }
  Value constantBytes(int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(bytes(), static_cast<int8_t>(value)));
  }
  /// A loop that carries `inits`; `body` returns what they become.
  SmallVector<Value>
  loop(int64_t end, int64_t step, ValueRange inits,
       function_ref<SmallVector<Value>(Value, ValueRange)> body);

  ImplicitLocOpBuilder b;
  linalg::GenericOp op;
  int64_t lanes;
  QuantizedType type;
  int64_t rows, columns, depth;
  bool isWide; ///< rows have low bytes, too: the last input

private:
  Value readScalar(Operand operand, Value row, Value at);
  Value readFactors(Operand operand, const Slot &slot, Value group);
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_KERNELS_QUANTIZEDPRODUCT_H
