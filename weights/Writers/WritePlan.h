//===- WritePlan.h - What a writer is to write, and how ---------*- C++ -*-===//
//
// The checkpoint, the type of each tensor in the new format, and whom to tell
// how far the work has come.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_WRITEPLAN_H
#define LLAMA_WEIGHTS_WRITERS_WRITEPLAN_H

#include "weights/Formats/OpenedModel.h"
#include "weights/OutputFile.h"
#include "weights/Writers/TensorStream.h"

namespace llamaweights {

struct WritePlan {
  const OpenedModel &model;
  const ModelConfig &config;  ///< the model's, as the format can express it
  std::optional<DType> dtype; ///< of matrices; none: as they are stored
  /// Called with the number of bytes that have been written since the last
  /// call, from one thread at a time. An error ends the work.
  llvm::function_ref<llvm::Error(int64_t)> progress;

  const ModelConfig &getConfig() const { return config; }
  const Checkpoint &getCheckpoint() const { return *model.checkpoint; }

  /// The tensor of that canonical name; with tied embeddings, "output" is the
  /// embedding.
  const TensorInfo &get(llvm::StringRef name) const;

  /// The type in which a tensor is written: f32, f16 or bf16.
  DType getType(const TensorInfo &tensor) const;

  /// Appends the tensor's rows. `halfSplit`: those of wq and wk in that order.
  llvm::Error append(const TensorInfo &tensor, DType type, bool halfSplit,
                     OutputFile &file) const;
};

/// Every canonical name in canonical order; `withOutput` also where it is tied.
std::vector<std::string> getTensorNames(const ModelConfig &config,
                                        bool withOutput);

/// Whether RoPE rotates pairs of rows of that tensor.
bool hasRopePairs(llvm::StringRef canonicalName);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_WRITEPLAN_H
