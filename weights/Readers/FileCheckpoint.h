//===- FileCheckpoint.h - A checkpoint whose tensors lie in files -*- C++ -*-=//
//
// Safetensors, npy and GGUF readers find tensors: a name, a type, a shape and a
// place in a file each. createFileCheckpoint compares them with what the
// hyper-parameters ask for and shows them under canonical names.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_READERS_FILECHECKPOINT_H
#define LLAMA_WEIGHTS_READERS_FILECHECKPOINT_H

#include "weights/Checkpoint.h"
#include "weights/InputFile.h"
#include "weights/ModelConfig.h"
#include "weights/TensorNames.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llamaweights {

/// A tensor as a file describes it. Rules, which the readers establish:
///  R1  every dimension is >= 0 and the size in bytes fits in 63 bits;
///  R2  [offset, offset + size) lies within the file;
///  R3  the last dimension is a whole number of blocks of `dtype`.
struct StoredTensor {
  std::string name; ///< as the file spells it
  DType dtype = DType::F32;
  std::vector<int64_t> shape; ///< slowest dimension first
  std::shared_ptr<InputFile> file;
  uint64_t offset = 0; ///< of the first byte, from the start of the file
};

/// Bytes of a tensor, or nothing if a dimension is negative, a row is not whole
/// blocks (R3) or the number does not fit in 63 bits (R1).
std::optional<int64_t> getStoredBytes(DType dtype,
                                      llvm::ArrayRef<int64_t> shape);

/// The tensor of that name, or null.
const StoredTensor *findStored(llvm::ArrayRef<StoredTensor> tensors,
                               llvm::StringRef name);

/// Binds the tensors `config` asks for. Missing tensors, other shapes and
/// tensors that nobody asked for are errors; `where` names the folder or file.
/// With tied embeddings a stored output matrix is left unread.
llvm::Expected<std::unique_ptr<Checkpoint>>
createFileCheckpoint(llvm::StringRef where, std::vector<StoredTensor> tensors,
                     Naming naming, const ModelConfig &config);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_READERS_FILECHECKPOINT_H
