//===- OpenedModel.h - A model, whatever it is stored as --------*- C++ -*-===//
//
// model.json | checkpoint folder | *.gguf  =>  hyper-parameters, an open
// Checkpoint, the vocabulary.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_OPENEDMODEL_H
#define LLAMA_WEIGHTS_FORMATS_OPENEDMODEL_H

#include "weights/Checkpoint.h"
#include "weights/CheckpointFormat.h"
#include "weights/FolderFiles.h"
#include "weights/ModelConfig.h"
#include "weights/Vocabulary.h"

namespace llamaweights {

struct OpenedModel {
  std::string path; ///< what was opened
  std::string name; ///< a name for people
  CheckpointFormat format = CheckpointFormat::HuggingFace;
  std::string weightsPath; ///< the folder, or the GGUF file, of the tensors
  ModelConfig config;
  std::unique_ptr<Checkpoint> checkpoint;
  /// Absent if the checkpoint comes without a tokenizer.
  std::optional<Vocabulary> vocabulary;

  /// Opens a model.json, a checkpoint directory or a GGUF file, checks that
  /// every tensor the hyper-parameters ask for is there with its shape and that
  /// there is no other.
  /// `path` may be ORG/NAME of Hugging Face's hub: HubCache.h.
  /// Symbolic links of a folder are followed as `links` says.
  static llvm::Expected<OpenedModel>
  open(llvm::StringRef path, LinkPolicy links = LinkPolicy::WithinFolder);
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_OPENEDMODEL_H
