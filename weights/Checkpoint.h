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
  /// Where rows are put together from panels, as in a model.so: the name of
  /// their elements ("bf16", "int4g32"), and all bytes. Of integers with scales
  /// `dtype` is F32.
  std::string encoding = {};
  int64_t encodedBytes = 0;
  /// Whether it is stored for an input that is Hadamard-transformed first
  /// (SpinQuant's w2).
  bool isHadamardRotated = false;

  int64_t getRows() const { return shape.size() == 2 ? shape[0] : 1; }
  int64_t getColumns() const { return shape.back(); }
  /// Bytes of one row in the stored type.
  int64_t getRowBytes() const {
    return getColumns() / getBlockElements(dtype) * getBlockBytes(dtype);
  }
  /// What it is stored as, for people.
  std::string getTypeName() const;
  /// Bytes that it takes where it is stored.
  int64_t getStoredBytes() const;
};

/// A matrix of small integers with a scale for every group of columns, as it is
/// stored; the Checkpoint shows it as f32.
class QuantizedMatrix {
public:
  virtual ~QuantizedMatrix();
  int64_t groupSize = 0; ///< columns that share a scale
  int bits = 8;          ///< of a code: 4 means -8 to 7
  /// Whether Checkpoint's rows are Hadamard-transformed.
  bool isHadamardRotated = false;
  /// Codes of rows [first, first + count), one byte each.
  virtual llvm::Error readCodes(int64_t first, int64_t count,
                                llvm::MutableArrayRef<int8_t> out) const = 0;
  /// Their scales, columns / groupSize for each row.
  virtual llvm::Error readScales(int64_t first, int64_t count,
                                 llvm::MutableArrayRef<float> out) const = 0;
  /// Rows as Checkpoint's, but before that transform: for a model that applies
  /// it to what the matrix is multiplied with.
  virtual llvm::Error
  readUntransformed(int64_t first, int64_t count,
                    llvm::MutableArrayRef<float> out) const = 0;
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

  /// The codes and scales of a tensor whose rows are computed from them, or
  /// null. Adaptors, if the checkpoint has any, are in the rows only.
  virtual const QuantizedMatrix *getQuantized(const TensorInfo &tensor) const;

  /// Bytes of a tensor that has an `encoding`, from `offset` on, as they are
  /// stored.
  virtual llvm::Error readEncoded(const TensorInfo &tensor, int64_t offset,
                                  llvm::MutableArrayRef<char> out) const;

  /// The tensor of that canonical name, or null.
  const TensorInfo *find(llvm::StringRef name) const;

  /// Same rows, converted to `type` (F32, F16 or BF16; to nearest even)
  /// whatever the stored type is.
  llvm::Error readRowsAs(const TensorInfo &tensor, DType type, int64_t first,
                         int64_t count, llvm::MutableArrayRef<char> out) const;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CHECKPOINT_H
