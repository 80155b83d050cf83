//===- StoredTensor.cpp - A tensor as a file describes it -----------------===//
//
// Sizes, with their overflow checked, and comparison of what is stored.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cassert>

using namespace llvm;

namespace llamaweights {

RowSource::~RowSource() = default;

std::vector<StoredPiece> getPieces(const StoredTensor &tensor) {
  assert(!tensor.rows && tensor.shape.size() <= 2 && "stored as it is");
  if (!tensor.pieces.empty())
    return tensor.pieces;
  StoredPiece piece;
  piece.file = tensor.file;
  piece.offset = tensor.offset;
  piece.columns = tensor.shape.empty() ? 1 : tensor.shape.back();
  piece.rows = tensor.shape.size() == 2 ? tensor.shape[0] : 1;
  piece.columnStride = getBlockBytes(tensor.dtype);
  piece.rowStride = piece.columns * piece.columnStride;
  return {std::move(piece)};
}

Expected<bool> holdSameBytes(const StoredTensor &a, const StoredTensor &b) {
  int64_t columns = a.shape.back(), rows = a.shape[0];
  int64_t rowBytes = columns * getBlockBytes(a.dtype);
  int64_t step =
      std::max<int64_t>(1, (1 << 20) / std::max<int64_t>(rowBytes, 1));
  std::vector<char> bytes[2];
  for (int64_t row = 0; row < rows; row += step) {
    int64_t count = std::min(step, rows - row);
    const StoredTensor *both[] = {&a, &b};
    for (auto [i, tensor] : enumerate(both)) {
      bytes[i].resize(size_t(count * rowBytes));
      if (Error error = readPieces(getPieces(*tensor), getBlockBytes(a.dtype),
                                   columns, row, count, bytes[i]))
        return std::move(error);
    }
    if (bytes[0] != bytes[1])
      return false;
  }
  return true;
}

std::optional<int64_t> getStoredBytes(DType dtype, ArrayRef<int64_t> shape) {
  int64_t blockElements = getBlockElements(dtype);
  int64_t bytes = getBlockBytes(dtype);
  if (blockElements != 1 && (shape.empty() || shape.back() % blockElements))
    return std::nullopt;
  for (auto [i, dim] : enumerate(shape)) {
    int64_t units = i + 1 == shape.size() ? dim / blockElements : dim;
    if (dim < 0 || MulOverflow(bytes, units, bytes))
      return std::nullopt;
  }
  return bytes;
}

const StoredTensor *findStored(ArrayRef<StoredTensor> tensors, StringRef name) {
  for (const StoredTensor &tensor : tensors)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}
} // namespace llamaweights
