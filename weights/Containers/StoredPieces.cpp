//===- StoredPieces.cpp - A tensor that is not one run of bytes -----------===//
//
// Whatever the strides are, bytes are read in long runs into a scratch buffer
// and dealt out from there: whole rows, whole columns (a transposed matrix), or
// the span of a row.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/StoredPieces.h"

#include <algorithm>
#include <cassert>
#include <cstring>

using namespace llvm;

namespace llamaweights {
namespace {

// Bytes read at once: long enough for a disk, short enough for the cache.
constexpr int64_t kScratchBytes = 4 << 20;

/// Rows [first, first + count) of one piece, counted from its own first row,
/// and where its first column goes in the result.
struct Part {
  const StoredPiece &piece;
  int64_t elementBytes;
  int64_t first, count;
  char *out;
  int64_t outRowBytes;

  uint64_t at(int64_t row, int64_t column) const {
    return piece.offset + uint64_t(row * piece.rowStride) +
           uint64_t(column * piece.columnStride);
  }
};

/// out[j][i] = in[i][j] for elements of one size, in squares that fit the
/// cache.
template <typename T>
void transpose(const char *in, int64_t inRows, int64_t inColumns, char *out,
               int64_t outRowBytes) {
  constexpr int64_t kSquare = 32;
  for (int64_t i0 = 0; i0 < inRows; i0 += kSquare)
    for (int64_t j0 = 0; j0 < inColumns; j0 += kSquare)
      for (int64_t j = j0; j < std::min(j0 + kSquare, inColumns); ++j)
        for (int64_t i = i0; i < std::min(i0 + kSquare, inRows); ++i)
          std::memcpy(out + j * outRowBytes + i * int64_t(sizeof(T)),
                      in + (i * inColumns + j) * int64_t(sizeof(T)), sizeof(T));
}

void transpose(int64_t elementBytes, const char *in, int64_t inRows,
               int64_t inColumns, char *out, int64_t outRowBytes) {
  switch (elementBytes) {
  case 1:
    return transpose<uint8_t>(in, inRows, inColumns, out, outRowBytes);
  case 2:
    return transpose<uint16_t>(in, inRows, inColumns, out, outRowBytes);
  default:
    assert(elementBytes == 4 && "an element of a plain type");
    return transpose<uint32_t>(in, inRows, inColumns, out, outRowBytes);
  }
}

/// Elements of a row lie one after the other.
Error readRuns(const Part &part) {
  const StoredPiece &piece = part.piece;
  int64_t runBytes = piece.columns * part.elementBytes;
  bool isDense = piece.rowStride == runBytes;
  if (isDense && part.outRowBytes == runBytes)
    return piece.file->read(part.at(part.first, 0),
                            {part.out, size_t(part.count * runBytes)});
  int64_t step =
      isDense ? std::clamp<int64_t>(kScratchBytes / runBytes, 1, part.count)
              : 1;
  auto scratch = std::make_unique_for_overwrite<char[]>(step * runBytes);
  for (int64_t row = 0; row < part.count; row += step) {
    int64_t rows = std::min(step, part.count - row);
    if (Error error =
            piece.file->read(part.at(part.first + row, 0),
                             {scratch.get(), size_t(rows * runBytes)}))
      return error;
    for (int64_t i = 0; i < rows; ++i)
      std::memcpy(part.out + (row + i) * part.outRowBytes,
                  scratch.get() + i * runBytes, size_t(runBytes));
  }
  return Error::success();
}

/// Elements of a column lie one after the other.
Error readTransposed(const Part &part) {
  const StoredPiece &piece = part.piece;
  int64_t runBytes = part.count * part.elementBytes;
  bool isWhole = part.count == piece.rows && piece.columnStride == runBytes;
  int64_t step =
      std::clamp<int64_t>(kScratchBytes / runBytes, 1, piece.columns);
  auto scratch = std::make_unique_for_overwrite<char[]>(step * runBytes);
  for (int64_t column = 0; column < piece.columns; column += step) {
    int64_t columns = std::min(step, piece.columns - column);
    int64_t runs = isWhole ? 1 : columns;
    for (int64_t i = 0; i < runs; ++i)
      if (Error error = piece.file->read(
              part.at(part.first, column + i),
              {scratch.get() + i * runBytes,
               size_t(isWhole ? columns * runBytes : runBytes)}))
        return error;
    transpose(part.elementBytes, scratch.get(), columns, part.count,
              part.out + column * part.elementBytes, part.outRowBytes);
  }
  return Error::success();
}

/// Neither: the span from the first to the last of some columns of a row.
Error readSpans(const Part &part) {
  const StoredPiece &piece = part.piece;
  int64_t step = piece.columnStride == 0
                     ? 1
                     : std::clamp<int64_t>(kScratchBytes / piece.columnStride,
                                           1, piece.columns);
  auto scratch = std::make_unique_for_overwrite<char[]>(
      (step - 1) * piece.columnStride + part.elementBytes);
  for (int64_t row = 0; row < part.count; ++row)
    for (int64_t column = 0; column < piece.columns; column += step) {
      int64_t columns = std::min(step, piece.columns - column);
      if (Error error = piece.file->read(
              part.at(part.first + row, column),
              {scratch.get(),
               size_t((columns - 1) * piece.columnStride + part.elementBytes)}))
        return error;
      for (int64_t i = 0; i < columns; ++i)
        std::memcpy(part.out + row * part.outRowBytes +
                        (column + i) * part.elementBytes,
                    scratch.get() + i * piece.columnStride,
                    size_t(part.elementBytes));
    }
  return Error::success();
}

} // namespace

Error readPieces(ArrayRef<StoredPiece> pieces, int64_t elementBytes,
                 int64_t columns, int64_t first, int64_t count,
                 MutableArrayRef<char> out) {
  int64_t outRowBytes = columns * elementBytes;
  assert(int64_t(out.size()) == count * outRowBytes &&
         "room for the rows asked");
  for (const StoredPiece &piece : pieces) {
    int64_t begin = std::max(first, piece.firstRow);
    int64_t end = std::min(first + count, piece.firstRow + piece.rows);
    if (begin >= end || piece.columns == 0)
      continue;
    Part part = {piece,
                 elementBytes,
                 begin - piece.firstRow,
                 end - begin,
                 out.data() + (begin - first) * outRowBytes +
                     piece.firstColumn * elementBytes,
                 outRowBytes};
    bool isRun = piece.columnStride == elementBytes || piece.columns == 1;
    if (Error error = isRun                             ? readRuns(part)
                      : piece.rowStride == elementBytes ? readTransposed(part)
                                                        : readSpans(part))
      return error;
  }
  return Error::success();
}

} // namespace llamaweights
