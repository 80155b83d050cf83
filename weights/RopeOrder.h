//===- RopeOrder.h - Row orders of wq and wk --------------------*- C++ -*-===//
//
// A head of d rows rotates pairs of rows. Stored half-split (Hugging Face), a
// pair is (i, i + d/2); interleaved (Meta, GGUF, this project), (2i, 2i + 1).
//
//   canonical rows of a head of 8:   0 1 2 3 4 5 6 7
//   stored half-split at:            0 4 1 5 2 6 3 7
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_ROPEORDER_H
#define LLAMA_WEIGHTS_ROPEORDER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <cstdint>

namespace llamaweights {

/// Which two rows of a head RoPE rotates together.
enum class RowOrder : uint8_t { Interleaved, HalfSplit };

/// Where a half-split matrix stores interleaved row `row`; `headDim` is even.
inline int64_t getHalfSplitRow(int64_t row, int64_t headDim) {
  int64_t inHead = row % headDim;
  return row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
}

/// Reads rows [first, first + count) in interleaved order out of a matrix that
/// is stored half-split. `readStored(row, out)` reads as many consecutive
/// stored rows as `out` has room for; it is called once per half head, or per
/// 1 MiB of it.
llvm::Error readInterleavedRows(
    int64_t first, int64_t count, int64_t headDim, int64_t rowBytes,
    llvm::function_ref<llvm::Error(int64_t, llvm::MutableArrayRef<char>)>
        readStored,
    llvm::MutableArrayRef<char> out);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_ROPEORDER_H
