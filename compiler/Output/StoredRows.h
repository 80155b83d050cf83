//===- StoredRows.h - Rows of a checkpoint as a model stores them -*- C++ -*-===//
//
// rows of a tensor  =>  integers, scales and numbers in panels or in rows
//
// All cores take part: each reads, looks at and packs panels of its own. Every
// number is looked at on the way, since one that is not finite reaches every
// logit.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_STOREDROWS_H
#define LLAMA_COMPILER_OUTPUT_STOREDROWS_H

#include "dialects/Llama/IR/LlamaOps.h"
#include "runtime/abi/PanelLayout.h"
#include "weights/Checkpoint.h"

namespace llamaweights {
struct PackedRows;
} // namespace llamaweights

namespace mlir::llama {

/// Whether weights may be NaN or infinite.
enum class NonFiniteWeights : uint8_t { Refused, Allowed };

class StoredRows {
public:
  /// `tensor` has the shape that `weight` asks for.
  StoredRows(WeightOp weight, const llamaweights::TensorInfo &tensor,
             const llamaweights::Checkpoint &checkpoint,
             NonFiniteWeights policy);

  /// How many rows are packed at once; whole panels.
  int64_t getRowsAtOnce() const;

  /// The bytes of rows [row, row + count), until the next call. `row` begins a
  /// panel, and `count` is whole panels or the rest. An error names the first
  /// row and column of a number that is not finite.
  llvm::Expected<ArrayRef<uint8_t>> pack(int64_t row, int64_t count);

private:
  llvm::Error packPanels(int64_t row, int64_t count,
                         MutableArrayRef<uint8_t> out) const;
  llvm::Error packNumbers(int64_t row, int64_t count,
                          MutableArrayRef<uint8_t> out) const;
  llvm::Error packKept(int64_t row, int64_t count,
                       MutableArrayRef<uint8_t> out) const;
  llvm::Error packFloats(int64_t row, int64_t count,
                         MutableArrayRef<uint8_t> out) const;
  llvm::Error readFloats(int64_t row, int64_t count,
                         std::vector<char> &rows) const;
  llvm::Error readNumbers(int64_t row, int64_t count,
                          MutableArrayRef<float> out) const;
  bool isStoredFinite(int64_t row, int64_t column) const;
  llvm::Error checkNumbers(llamaweights::DType type, int64_t row,
                           ArrayRef<char> numbers) const;
  llvm::Error checkScales(int64_t row,
                          const llamaweights::PackedRows &rows) const;
  /// Whether the tensor's blocks hold what the format wants.
  bool isKept() const;

  const llamaweights::TensorInfo &tensor;
  const llamaweights::Checkpoint &checkpoint;
  NonFiniteWeights policy;
  Type element;    ///< of the weight
  bool isRotated;  ///< the weight's input is Hadamard-transformed
  bool isInPanels; ///< the weight is, not in rows
  llamaabi::PanelLayout layout;
  int64_t columns;
  std::vector<char> rows;
  std::vector<uint8_t> packed;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_STOREDROWS_H
