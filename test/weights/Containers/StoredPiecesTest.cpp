//===- StoredPiecesTest.cpp - A tensor that is not one run of bytes -------===//
//
// Every kind of stride, cut into pieces, against one element at a time.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/StoredPieces.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

struct Layout {
  int64_t rowStride, columnStride; // in elements
};

/// 70 rows of 50 columns, cut into four pieces that lie in four files.
class Matrix {
public:
  static constexpr int64_t kRows = 70, kColumns = 50;

  Matrix(int64_t elementBytes, Layout layout) : elementBytes(elementBytes) {
    for (int64_t row : {int64_t(0), int64_t(33)})
      for (int64_t column : {int64_t(0), int64_t(17)})
        addPiece(row, row ? kRows - row : 33, column,
                 column ? kColumns - column : 17, layout);
  }

  std::string getElement(int64_t row, int64_t column) const {
    for (size_t i = 0; i < pieces.size(); ++i) {
      const StoredPiece &piece = pieces[i];
      int64_t y = row - piece.firstRow, x = column - piece.firstColumn;
      if (y >= 0 && y < piece.rows && x >= 0 && x < piece.columns)
        return bytes[i].substr(
            piece.offset + size_t(y * piece.rowStride + x * piece.columnStride),
            size_t(elementBytes));
    }
    return "";
  }

  int64_t elementBytes;
  std::vector<StoredPiece> pieces;

private:
  void addPiece(int64_t row, int64_t rows, int64_t column, int64_t columns,
                Layout layout) {
    StoredPiece piece;
    piece.offset = 7;
    piece.rowStride = (layout.rowStride ? layout.rowStride : columns);
    piece.columnStride = (layout.columnStride ? layout.columnStride : rows);
    piece.rowStride *= elementBytes;
    piece.columnStride *= elementBytes;
    piece.firstRow = row;
    piece.firstColumn = column;
    piece.rows = rows;
    piece.columns = columns;
    bytes.push_back(
        makePattern(size_t(7 + (rows - 1) * piece.rowStride +
                           (columns - 1) * piece.columnStride + elementBytes),
                    unsigned(pieces.size()) + 1));
    piece.file = InputFile::fromMemory("piece", bytes.back());
    pieces.push_back(piece);
  }

  std::vector<std::string> bytes;
};

TEST(StoredPieces, AnyStridesAndAnyRows) {
  for (int64_t elementBytes : {1, 2, 4})
    for (Layout layout : {Layout{0, 1}, Layout{64, 1}, Layout{1, 0},
                          Layout{1, 80}, Layout{200, 3}, Layout{2, 150}}) {
      Matrix matrix(elementBytes, layout);
      for (auto [first, count] : {std::pair<int64_t, int64_t>(0, 70),
                                  {0, 1},
                                  {69, 1},
                                  {30, 10},
                                  {33, 37},
                                  {5, 0}}) {
        std::string found(size_t(count * 50 * elementBytes), '\0');
        ASSERT_EQ(getMessage(readPieces(matrix.pieces, elementBytes, 50, first,
                                        count, {found.data(), found.size()})),
                  "");
        std::string expected;
        for (int64_t row = first; row < first + count; ++row)
          for (int64_t column = 0; column < 50; ++column)
            expected += matrix.getElement(row, column);
        EXPECT_TRUE(found == expected)
            << elementBytes << " bytes, strides " << layout.rowStride << ", "
            << layout.columnStride << ", rows " << first << " + " << count;
      }
    }
}

} // namespace
