//===- RopeOrder.cpp - Row orders of wq and wk ----------------------------===//
//
// The even rows of a head are a run of stored rows, and so are the odd ones:
// each run is read at once and dealt out to every second row.
//
//===----------------------------------------------------------------------===//

#include "weights/RopeOrder.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>

using namespace llvm;

namespace llamaweights {

Error readInterleavedRows(
    int64_t first, int64_t count, int64_t headDim, int64_t rowBytes,
    function_ref<Error(int64_t, MutableArrayRef<char>)> readStored,
    MutableArrayRef<char> out) {
  assert(int64_t(out.size()) == count * rowBytes && "room for the rows asked");
  int64_t longestRun =
      std::clamp<int64_t>((1 << 20) / rowBytes, 1, headDim / 2);
  auto run = std::make_unique_for_overwrite<char[]>(longestRun * rowBytes);

  int64_t last = first + count;
  for (int64_t head = first; head < last;) {
    int64_t headEnd = std::min(last, (head / headDim + 1) * headDim);
    for (int64_t parity : {0, 1}) {
      int64_t row = head + (head % 2 != parity);
      while (row < headEnd) {
        int64_t rows = std::min((headEnd - row + 1) / 2, longestRun);
        if (Error error = readStored(getHalfSplitRow(row, headDim),
                                     {run.get(), size_t(rows * rowBytes)}))
          return error;
        for (int64_t i = 0; i < rows; ++i)
          std::memcpy(out.data() + (row + 2 * i - first) * rowBytes,
                      run.get() + i * rowBytes, size_t(rowBytes));
        row += 2 * rows;
      }
    }
    head = headEnd;
  }
  return Error::success();
}

} // namespace llamaweights
