//===- RopeOrderTest.cpp - Row orders of wq and wk ------------------------===//
//
// The published order of a head of eight rows, and every range of rows of
// matrices of several shapes against the index formula
//   meta row h*d + 2i + j  =  Hugging Face row h*d + j*d/2 + i.
//
//===----------------------------------------------------------------------===//

#include "weights/RopeOrder.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

TEST(RopeOrder, HeadOfEight) {
  std::vector<int64_t> stored;
  for (int64_t row = 0; row < 8; ++row)
    stored.push_back(getHalfSplitRow(row, 8));
  EXPECT_EQ(stored, (std::vector<int64_t>{0, 4, 1, 5, 2, 6, 3, 7}));
}

TEST(RopeOrder, EveryRangeOfRows) {
  for (auto [heads, headDim, rowBytes] :
       {std::tuple(3, 8, 5), {1, 2, 3}, {2, 6, 1}, {5, 4, 16}}) {
    int64_t rows = heads * headDim;
    std::string stored = makePattern(size_t(rows * rowBytes));
    std::string expected(stored.size(), '\0');
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < headDim / 2; ++i)
        for (int64_t j = 0; j < 2; ++j)
          std::memcpy(
              &expected[size_t((h * headDim + 2 * i + j) * rowBytes)],
              &stored[size_t((h * headDim + j * headDim / 2 + i) * rowBytes)],
              size_t(rowBytes));
    auto readStored = [&](int64_t row, llvm::MutableArrayRef<char> out) {
      EXPECT_LE(row * rowBytes + int64_t(out.size()), int64_t(stored.size()));
      std::memcpy(out.data(), &stored[size_t(row * rowBytes)], out.size());
      return llvm::Error::success();
    };
    for (int64_t first = 0; first <= rows; ++first)
      for (int64_t count = 0; count <= rows - first; ++count) {
        std::string out(size_t(count * rowBytes), '\0');
        llvm::cantFail(readInterleavedRows(first, count, headDim, rowBytes,
                                           readStored,
                                           {out.data(), out.size()}));
        ASSERT_EQ(out, expected.substr(size_t(first * rowBytes), out.size()))
            << first << " + " << count;
      }
  }
}

/// Rows so long that half a head is read in several pieces.
TEST(RopeOrder, LongRows) {
  const int64_t headDim = 8, rowBytes = 400000;
  std::string stored = makePattern(size_t(headDim * rowBytes));
  size_t reads = 0;
  auto readStored = [&](int64_t row, llvm::MutableArrayRef<char> out) {
    ++reads;
    EXPECT_LE(out.size(), size_t(1) << 20);
    std::memcpy(out.data(), &stored[size_t(row * rowBytes)], out.size());
    return llvm::Error::success();
  };
  std::string out(stored.size(), '\0');
  llvm::cantFail(readInterleavedRows(0, headDim, headDim, rowBytes, readStored,
                                     {out.data(), out.size()}));
  EXPECT_EQ(reads, 4u);
  const int64_t order[] = {0, 4, 1, 5, 2, 6, 3, 7};
  for (int64_t row = 0; row < headDim; ++row)
    EXPECT_TRUE(llvm::StringRef(out).substr(row * rowBytes, rowBytes) ==
                llvm::StringRef(stored).substr(order[row] * rowBytes, rowBytes))
        << row;
}

TEST(RopeOrder, PassesErrorsOn) {
  auto fail = [](int64_t, llvm::MutableArrayRef<char>) {
    return llvm::createStringError("broken disk");
  };
  char out[8];
  EXPECT_EQ(getMessage(readInterleavedRows(0, 4, 4, 2, fail, out)),
            "broken disk");
}

} // namespace
