//===- DetectFormat.h - What lies at a path ---------------------*- C++ -*-===//
//
// model.json | folder | *.gguf  =>  a format, and where its weights are
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_DETECTFORMAT_H
#define LLAMA_WEIGHTS_FORMATS_DETECTFORMAT_H

#include "weights/CheckpointFormat.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llamaweights {

struct DetectedFormat {
  /// The folder, or the GGUF file, of the tensors; or a model.json, which says
  /// where they are and what format they have.
  std::string path;
  bool isModelJson = false;
  CheckpointFormat format = CheckpointFormat::HuggingFace;
};

/// The first line of the table in docs/formats.md that fits.
llvm::Expected<DetectedFormat> detectFormat(llvm::StringRef path);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_DETECTFORMAT_H
