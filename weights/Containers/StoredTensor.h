//===- StoredTensor.h - A tensor as a file describes it ---------*- C++ -*-===//
//
// What readers of containers find: a name, a type, a shape and a place in a file.
// What a model wants with it is decided in Formats/.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_STOREDTENSOR_H
#define LLAMA_WEIGHTS_CONTAINERS_STOREDTENSOR_H

#include "weights/Checkpoint.h"
#include "weights/Containers/StoredPieces.h"
#include "weights/DType.h"
#include "weights/InputFile.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llamaweights {

/// Rows that are computed out of what is stored: of quantized checkpoints.
class RowSource {
public:
  virtual ~RowSource();
  /// As Checkpoint::readRows, in the order in which rows are stored.
  virtual llvm::Error readRows(int64_t first, int64_t count,
                               llvm::MutableArrayRef<char> out) const = 0;
};

/// A tensor as a file describes it. Rules, which the readers establish:
///  T1  every dimension is >= 0 and the size in bytes fits in 63 bits;
///  T2  [offset, offset + size) lies within the file;
///  T3  the last dimension is a whole number of blocks of `dtype`;
///  T4  at most one of `pieces` and `rows` is given, and then `dtype` is plain,
///      there are one or two dimensions, and `file` serves messages only.
struct StoredTensor {
  std::string name; ///< as the file spells it
  DType dtype = DType::F32;
  std::vector<int64_t> shape; ///< slowest dimension first
  std::shared_ptr<InputFile> file;
  uint64_t offset = 0; ///< of the first byte, from the start of the file
  std::vector<StoredPiece> pieces;       ///< where it is not one run of bytes
  std::shared_ptr<const RowSource> rows; ///< where it has to be computed
  std::shared_ptr<const QuantizedMatrix> quantized; ///< from these, or null
};

/// Bytes of a tensor, or nothing if a dimension is negative, a row is not whole
/// blocks (T3) or the number does not fit in 63 bits (T1).
std::optional<int64_t> getStoredBytes(DType dtype,
                                      llvm::ArrayRef<int64_t> shape);

/// The tensor of that name, or null.
const StoredTensor *findStored(llvm::ArrayRef<StoredTensor> tensors,
                               llvm::StringRef name);

/// Whether two matrices of one shape and type hold the same bytes; they are
/// read a few rows at a time.
llvm::Expected<bool> holdSameBytes(const StoredTensor &a,
                                   const StoredTensor &b);

/// The tensor as a list of pieces, whatever it was before; not for computed
/// rows or more than two dimensions.
std::vector<StoredPiece> getPieces(const StoredTensor &tensor);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_STOREDTENSOR_H
