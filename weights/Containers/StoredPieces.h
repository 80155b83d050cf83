//===- StoredPieces.h - A tensor that is not one run of bytes ---*- C++ -*-===//
//
// Views with strides, transposed matrices, and matrices that several files hold
// a part of: a list of rectangles, each with a place in a file and the distance
// from one row and from one column to the next.
//
//   file 0: columns 0..3       file 1: columns 4..7
//   [ a a a a ]                [ b b b b ]    =>   [ a a a a b b b b ]
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_STOREDPIECES_H
#define LLAMA_WEIGHTS_CONTAINERS_STOREDPIECES_H

#include "weights/InputFile.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace llamaweights {

/// A rectangle of a matrix. Rules, which the readers establish:
///  S1  strides are >= 0, and > 0 where there is more than one row or column;
///  S2  every element lies within the file;
///  S3  the pieces of a tensor cover it, each element once.
struct StoredPiece {
  std::shared_ptr<InputFile> file;
  uint64_t offset = 0;                     ///< of its first element, in bytes
  int64_t rowStride = 0, columnStride = 0; ///< in bytes
  int64_t firstRow = 0, firstColumn = 0;   ///< its place in the tensor
  int64_t rows = 0, columns = 0;
};

/// Reads rows [first, first + count) of the tensor that `pieces` make up:
/// `columns` elements of `elementBytes` (1, 2 or 4) each.
llvm::Error readPieces(llvm::ArrayRef<StoredPiece> pieces, int64_t elementBytes,
                       int64_t columns, int64_t first, int64_t count,
                       llvm::MutableArrayRef<char> out);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_STOREDPIECES_H
