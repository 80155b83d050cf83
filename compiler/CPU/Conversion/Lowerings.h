//===- Lowerings.h - What each llama op means in linalg ---------*- C++ -*-===//
//
// One function per box; the patterns of LlamaToLinalg.cpp call them, fused ops
// several at a time.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_CONVERSION_LOWERINGS_H
#define LLAMA_COMPILER_CPU_CONVERSION_LOWERINGS_H

#include "compiler/CPU/Conversion/RowBuilder.h"
#include "dialects/Llama/IR/LlamaOps.h"

namespace mlir::llama {

/// Where rows stand in the cache: the cache operands of llama ops.
struct CacheRows {
  Value cache;     ///< memref<? x layers x 2 x kvHeads x 64 x headDim>
  Value layer;     ///< index
  Value positions; ///< [T]
  Value sequences; ///< [T]
  Value tables;    ///< [sequences, blocks]
};

/// A matrix [rows, columns] by its name: what a llama op's operand was before it
/// was converted, the value of a weight.
struct Matrix {
  GetWeightOp weight;
  RankedTensorType type;

  explicit Matrix(Value operand)
      : weight(operand.getDefiningOp<GetWeightOp>()),
        type(cast<RankedTensorType>(operand.getType())) {}

  /// Null unless the matrix is one of integers.
  QuantizedType getQuantized() const {
    return dyn_cast<QuantizedType>(type.getElementType());
  }
};

/// Rows of integers with scales: llama.cpp's Q8 with groups of any size, or
/// integers of 16 bits in halves.
struct QuantizedRows {
  Value integers; ///< [T, padded columns] i8
  Value scales;   ///< [T, groups] f32
  Value sums;     ///< [T, groups] i32, of the integers
  Value low;      ///< as integers; one is 256 * integers + low; or null
};

/// Rows that matrices are multiplied with: as they are, and quantized once for
/// all matrices that want it so.
class LinearInput {
public:
  /// `user` is the op that reads the rows; its module says how many bits
  /// their integers have.
  LinearInput(RowBuilder &b, Value rows, Operation *user);

  Value getRows() const { return rows; }
  Operation *getUser() const { return user; }
  /// With the groups of `type`.
  const QuantizedRows &getQuantized(QuantizedType type);

private:
  RowBuilder &b;
  Value rows;
  Operation *user;
  bool isWide; ///< 16 bits
  unsigned group = 0;
  QuantizedRows quantized;
};

/// y[t, n] = sum_k weight[n, k] input[t, k], f32; with a matrix of integers, of
/// quantized rows.
Value lowerLinear(RowBuilder &b, LinearInput &input, const Matrix &weight);

/// stream + branch, in place of `stream`.
Value lowerAdd(RowBuilder &b, Value stream, Value branch);

Value lowerRMSNorm(RowBuilder &b, Value input, Value weight, double eps,
                   Type element);

Value lowerRope(RowBuilder &b, Value input, Value cosine, Value sine);

/// `factor` times cosine and sine [T, frequencies] of positions times
/// frequencies.
std::pair<Value, Value> lowerRopeAngles(RowBuilder &b, Value positions,
                                        ArrayRef<double> frequencies,
                                        double factor);

/// f32 of silu(gate) * up, rounded to `element`.
Value lowerGate(RowBuilder &b, Value gate, Value up, Type element);

/// Every row times the orthonormal Walsh-Hadamard matrix, in place of `rows`.
Value lowerHadamard(RowBuilder &b, Value rows);

/// Rows `table[list[i], :]`, converted to `element`.
Value lowerGather(RowBuilder &b, Value table, Value list, Type element);
/// The same of a table in panels, f32. `panels` are its bytes, see
/// runtime/abi/PanelLayout.h.
Value lowerPanelGather(RowBuilder &b, Value panels, RankedTensorType table,
                       Value list);

/// Column i of `few` as column tokens[i] of [T, columns], negative infinity
/// elsewhere; f32.
Value lowerScatter(RowBuilder &b, Value few, ArrayRef<int32_t> tokens,
                   int64_t columns);

void lowerCacheAppend(RowBuilder &b, Value keys, Value values,
                      const CacheRows &rows);

Value lowerAttention(RowBuilder &b, Value query, const CacheRows &rows,
                     Type element);

/// Scores of the rows in `list` to `into`, [rows, heads, keys], if the layer is
/// the cache's last.
void lowerRecordScores(RowBuilder &b, Value query, const CacheRows &rows,
                       Value list, Value into);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_CONVERSION_LOWERINGS_H
