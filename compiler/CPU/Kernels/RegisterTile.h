//===- RegisterTile.h - One tile of a product -------------------*- C++ -*-===//
//
//   kernel.matmul tile <"vpdpbusd.512" 8 x 32> of memrefs
//
//   =>  for k:  read lines of panels, multiply each with each row
//       write the accumulators
//
// What the kernels of all instructions share: how operands are read and results
// are written. A lane of a vector is a row of the matrix, so nothing is added
// over lanes, and a lane adds its products in the order of k whatever the tile
// is: that is what makes the bits of a row depend on that row alone.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_KERNELS_REGISTERTILE_H
#define LLAMA_COMPILER_CPU_KERNELS_REGISTERTILE_H

#include "dialects/Kernel/IR/KernelOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::llama {

class RegisterTile {
public:
  /// `op` is of memrefs and has a tile; `panels` are those of its matrix.
  RegisterTile(RewriterBase &rewriter, MatmulOp op, Value panels);
  virtual ~RegisterTile() = default;

  /// Writes the result; `op` is left in place.
  virtual void lower() = 0;

protected:
  /// A vector of columns: `count` lanes from lane `first` of a panel on, if the
  /// tile begins with a panel.
  struct ColumnVector {
    int64_t panel, first, count;
  };
  SmallVector<ColumnVector> findVectors() const;

  /// Bytes of a panel, `byte` being where those of its first lane begin and
  /// `laneBytes` how many each lane has: as a vector of all lanes of
  /// `element`, zeros where the vector of columns has none.
  Value loadLanes(const ColumnVector &columns, Value byte, int64_t laneBytes,
                  Type element);
  /// The same of a line, whose like in panels further on is asked for if the
  /// tile does that.
  Value loadLine(const ColumnVector &columns, Value byte, Type element);
  /// Elements [row, at], [row, at + 1], .. of a memref.
  Value load(Value memref, Value row, Value at, int64_t count);
  /// `count` elements of that memref in every lane, as 4 bytes of `element`.
  Value loadWord(Value memref, Value row, Value at, int64_t count,
                 Type element);
  /// Writes lanes to a row of the result.
  void store(Value lanes, Value row, const ColumnVector &columns);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value plus(Value x, int64_t y) {
    return y == 0 ? x : arith::AddIOp::create(b, x, index(y)).getResult();
  }
  Value plus(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value times(Value x, int64_t y) {
    return y == 1 ? x : arith::MulIOp::create(b, x, index(y)).getResult();
  }
  Value splat(Type type, Value scalar) {
    return vector::BroadcastOp::create(b, type, scalar);
  }
  Value zeros(Type type) {
    return arith::ConstantOp::create(b, b.getZeroAttr(type));
  }
  VectorType words() { return VectorType::get(lanes, b.getI32Type()); }
  VectorType floats() { return VectorType::get(lanes, b.getF32Type()); }
  VectorType bytes() { return VectorType::get(4 * lanes, b.getI8Type()); }
  Value constantBytes(int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(bytes(), static_cast<int8_t>(value)));
  }
  Value constantWords(int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(words(), static_cast<int32_t>(value)));
  }
  /// A loop that carries `inits`; `body` returns what they become.
  SmallVector<Value>
  loop(Value end, int64_t step, ValueRange inits,
       function_ref<SmallVector<Value>(Value, ValueRange)> body);
  SmallVector<Value>
  loop(int64_t end, int64_t step, ValueRange inits,
       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    return loop(index(end), step, inits, body);
  }
  /// A loop without results.
  void loop(Value end, int64_t step, function_ref<void(Value)> body);

  /// A buffer of the thread's own, from here to the end of the block.
  Value allocate(ArrayRef<int64_t> shape, Type element);

  ImplicitLocOpBuilder b;
  MatmulOp op;
  const InstructionInfo &info;
  PanelLayout layout;
  int64_t lanes;
  int64_t rows; ///< or ShapedType::kDynamic
  int64_t columns, depth;
  Value panels;      ///< the matrix: [panels, bytes]
  Value firstPanel;  ///< of the tile
  Value laneInPanel; ///< where the tile begins in it; else 0
};

/// Instructions of kinds Float and Dot; of kind IntDot; of kind Tile.
void lowerFloatTile(RewriterBase &rewriter, MatmulOp op, Value panels);
void lowerIntegerTile(RewriterBase &rewriter, MatmulOp op, Value panels);
void lowerAMXFloatTile(RewriterBase &rewriter, MatmulOp op, Value panels);
void lowerAMXIntegerTile(RewriterBase &rewriter, MatmulOp op, Value panels);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_KERNELS_REGISTERTILE_H
