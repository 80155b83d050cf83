//===- Checkpoint.h - Tensors of a checkpoint under canonical names -*-C++-*-=//
//
// One view of every format: Meta's names ("layers.3.attention.wq",
// "tok_embeddings", "norm", "output"; no ".weight"), matrices [out, in], rows
// of wq and wk in interleaved RoPE order. Nothing is held in memory: rows are
// read when they are asked for.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CHECKPOINT_H
#define LLAMA_WEIGHTS_CHECKPOINT_H

#include "weights/DType.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace llamaweights {

struct TensorInfo {
  std::string name;           ///< canonical
  std::string sourceName;     ///< as the file spells it
  std::string file;           ///< the file it is stored in
  DType dtype = DType::F32;   ///< as stored
  std::vector<int64_t> shape; ///< [n] or [out, in]

  int64_t getRows() const { return shape.size() == 2 ? shape[0] : 1; }
  int64_t getColumns() const { return shape.back(); }
  /// Bytes of one row in the stored type.
  int64_t getRowBytes() const {
    return getColumns() / getBlockElements(dtype) * getBlockBytes(dtype);
  }
};

class Checkpoint {
public:
  virtual ~Checkpoint();

  /// All tensors, in canonical order (embeddings, layers, norm, output).
  virtual llvm::ArrayRef<TensorInfo> getTensors() const = 0;

  /// Reads rows [first, first + count) of a tensor in canonical row order as
  /// they are stored: `out` receives count * getRowBytes() bytes. Safe to call
  /// from several threads.
  virtual llvm::Error readRows(const TensorInfo &tensor, int64_t first,
                               int64_t count,
                               llvm::MutableArrayRef<char> out) const = 0;

  /// The tensor of that canonical name, or null.
  const TensorInfo *find(llvm::StringRef name) const;

  /// Same rows, converted to `type` (F32, F16 or BF16; to nearest even)
  /// whatever the stored type is.
  llvm::Error readRowsAs(const TensorInfo &tensor, DType type, int64_t first,
                         int64_t count, llvm::MutableArrayRef<char> out) const;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CHECKPOINT_H
