//===- TensorStream.h - Rows of a tensor, on their way out ------*- C++ -*-===//
//
// rows of a Checkpoint, a few MiB at a time, in another type and another order
//   =>  a sink
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_TENSORSTREAM_H
#define LLAMA_WEIGHTS_WRITERS_TENSORSTREAM_H

#include "weights/Checkpoint.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace llamaweights {

/// How the rows of a tensor are to be written.
struct RowFormat {
  /// A plain type, the type in which they are stored, or Q8_0 or Q4_0.
  DType dtype = DType::F32;
  int64_t halfSplitHeadDim = 0; ///< 0: canonical order
};

using ByteSink = llvm::function_ref<llvm::Error(llvm::ArrayRef<char>)>;

/// Calls `sink` with all rows of the tensor, in order, from one thread at a
/// time.
llvm::Error streamRows(const Checkpoint &checkpoint, const TensorInfo &tensor,
                       RowFormat format, ByteSink sink);

/// Bytes that streamRows hands to its sink.
int64_t getStreamedBytes(const TensorInfo &tensor, DType dtype);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_TENSORSTREAM_H
