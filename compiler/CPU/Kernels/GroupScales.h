//===- GroupScales.h - What becomes of a group's exact sums -----*- C++ -*-===//
//
//   sums += (scales of the matrix * scale of the row) * dots
//         (+ minimums * scale of the row * sum of the row)
//
// Shared by the kernels of integers, with vectors and with tile registers: so
// their results have the same bits.
//
// Integers are stored unsigned, rows are signed:
//
//   sum (w - zero) x  =  sum w x  -  zero sum x
//
// and the last term, the same for every matrix row, is what the dots start
// with. With a minimum there is no zero point; each group adds minimum * sum x.
//
// Rows of 16 bits have two dots, 256 times that of their high bytes and that of
// their low ones: 32 bits hold the products of a group.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_KERNELS_GROUPSCALES_H
#define LLAMA_COMPILER_CPU_KERNELS_GROUPSCALES_H

#include "compiler/CPU/Kernels/RegisterTile.h"

namespace mlir::llama {

/// A tile of a product with a matrix of integers.
class GroupScales : public RegisterTile {
protected:
  GroupScales(RewriterBase &rewriter, MatmulOp op, Value panels)
      : RegisterTile(rewriter, op, panels), groups(layout.getGroups(depth)),
        hasLowBytes(op.getLow() != nullptr) {}

  /// Of a group of a row, the same in all lanes.
  struct RowFactors {
    Value scale;
    Value sum; ///< times the scale, what a minimum is multiplied with; or null
  };

  /// Of a group of the matrix, lane by lane.
  struct GroupFactors {
    Value scales, minimums; ///< minimums: or null
  };

  /// Where a group begins in its panel.
  Value locateGroup(Value group) {
    return times(group, layout.getGroupBytes());
  }
  RowFactors readRowFactors(Value row, Value group);
  GroupFactors readGroupFactors(const ColumnVector &columns, Value group);
  /// What the dots of a group start with if the number `zeroPoint` stands for
  /// zero in the weights as they are multiplied; in all lanes.
  Value readStart(Value row, Value group, int64_t zeroPoint);
  /// The dots of rows of 16 bits.
  Value joinBytes(Value low, Value high);
  /// The sums with the dots of one more group.
  Value addGroup(Value sums, Value dots, const GroupFactors &factors,
                 const RowFactors &row);

  int64_t groups; ///< of a row
  bool hasLowBytes;

private:
  Value readFactors(const ColumnVector &columns, Value group, int64_t at);
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_KERNELS_GROUPSCALES_H
