//===- TensorScan.h - One pass over the numbers of a tensor -----*- C++ -*-===//
//
// Hash, range, mean, NaN: whatever is asked for, a few rows at
// a time.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_TENSORSCAN_H
#define LLAMA_WEIGHTS_FORMATS_TENSORSCAN_H

#include "weights/Checkpoint.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace llamaweights {

struct TensorStatistics {
  int64_t elements = 0, nans = 0, infinities = 0;
  /// Of the finite elements; 0 where there are none.
  double min = 0.0, max = 0.0, mean = 0.0, deviation = 0.0;
  std::vector<float> first; ///< up to eight
  /// Row and column of the first element that is not finite.
  int64_t badRow = -1, badColumn = -1;
};

struct TensorScan {
  /// BLAKE3 of the rows in canonical order, as they are stored: 64 digits. It
  /// does not depend on the format of the checkpoint. Of an encoded tensor, of
  /// its bytes.
  std::string hash;
  TensorStatistics statistics;
};

struct ScanOptions {
  bool hash = true;
  bool statistics = true;
};

/// Called with the number of stored bytes that have been looked at since the
/// last call.
using ScanProgress = llvm::function_ref<void(int64_t)>;

llvm::Expected<TensorScan> scanTensor(const Checkpoint &checkpoint,
                                      const TensorInfo &tensor,
                                      ScanOptions options,
                                      ScanProgress progress);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_TENSORSCAN_H
