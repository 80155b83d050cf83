//===- NpyFolder.h - Folders of *.npy files ---------------------*- C++ -*-===//
//
// One array per file, named after its tensor: "norm.weight.npy".
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_NPYFOLDER_H
#define LLAMA_WEIGHTS_FORMATS_NPYFOLDER_H

#include "weights/Containers/StoredTensor.h"
#include "weights/FolderFiles.h"

namespace llamaweights {

/// Whether the folder has a tok_embeddings.weight.npy.
bool hasNpy(llvm::StringRef folder);

/// Every *.npy of the folder, sorted by name.
llvm::Expected<std::vector<StoredTensor>>
readNpyFolder(llvm::StringRef folder,
              LinkPolicy links = LinkPolicy::WithinFolder);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_NPYFOLDER_H
