//===- BareTensors.h - Tensors without a model around them ------*- C++ -*-===//
//
// One file of tensors, or a folder of arrays without hyper-parameters, to be
// looked at: names, types and row order are as they are stored.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_BARETENSORS_H
#define LLAMA_WEIGHTS_FORMATS_BARETENSORS_H

#include "weights/Checkpoint.h"
#include "weights/FolderFiles.h"

namespace llamaweights {

/// Whether `path` is a *.safetensors, *.pth, *.pt, *.bin, *.pkl or *.npy file,
/// or a folder of *.npy files.
bool isBare(llvm::StringRef path);

/// The tensors there.
llvm::Expected<std::unique_ptr<Checkpoint>> openBare(llvm::StringRef path,
                                                     LinkPolicy links);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_BARETENSORS_H
