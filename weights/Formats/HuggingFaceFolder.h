//===- HuggingFaceFolder.h - Shards of Hugging Face's checkpoints -*- C++ -*-===//
//
// model.safetensors | model.safetensors.index.json | pytorch_model.bin | ...
//   =>  the tensors of all shards, under Hugging Face's names
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_HUGGINGFACEFOLDER_H
#define LLAMA_WEIGHTS_FORMATS_HUGGINGFACEFOLDER_H

#include "weights/Containers/StoredTensor.h"
#include "weights/FolderFiles.h"

namespace llamaweights {

/// Whether the folder has a model.safetensors or an index of shards.
bool hasSafetensors(llvm::StringRef folder);

/// The tensors of model.safetensors, or else of the shards that
/// model.safetensors.index.json lists.
llvm::Expected<std::vector<StoredTensor>>
readSafetensorsFolder(llvm::StringRef folder,
                      LinkPolicy links = LinkPolicy::WithinFolder);

/// Whether the folder holds a pytorch_model.bin or an index of shards.
bool hasTorchModel(llvm::StringRef folder);

/// The tensors of pytorch_model.bin, or else of the shards that
/// pytorch_model.bin.index.json lists: Hugging Face's names.
llvm::Expected<std::vector<StoredTensor>> readTorchModel(llvm::StringRef folder,
                                                         LinkPolicy links);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_HUGGINGFACEFOLDER_H
