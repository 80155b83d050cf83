//===- Convert.h - A checkpoint in another format ---------------*- C++ -*-===//
//
// OpenedModel  =>  a folder or a GGUF file, whole or absent
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_CONVERT_H
#define LLAMA_WEIGHTS_WRITERS_CONVERT_H

#include "weights/Formats/OpenedModel.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace llamaweights {

struct ConvertOptions {
  CheckpointFormat format = CheckpointFormat::HuggingFace;
  /// Of matrices; none: as they are stored. Q4_0 is of the layers', the
  /// embedding and the output matrix are then Q8_0.
  std::optional<DType> dtype;
  bool checklist = false; ///< write checklist.chk (Meta's format only)
};

/// Writes `to`, which must not exist or be an empty folder; a GGUF file is
/// replaced. What the format cannot hold is refused before anything is written.
/// `progress` is called with the bytes written since the last call; an error of
/// its own ends the work and leaves nothing behind.
llvm::Error
convertCheckpoint(const OpenedModel &model, llvm::StringRef to,
                  ConvertOptions options,
                  llvm::function_ref<llvm::Error(int64_t)> progress);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_CONVERT_H
