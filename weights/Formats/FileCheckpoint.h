//===- FileCheckpoint.h - A checkpoint whose tensors lie in files -*- C++ -*-=//
//
// StoredTensors, as readers of containers find them, are compared with what the
// hyper-parameters ask for and shown under canonical names.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_FILECHECKPOINT_H
#define LLAMA_WEIGHTS_FORMATS_FILECHECKPOINT_H

#include "weights/Checkpoint.h"
#include "weights/Containers/StoredTensor.h"
#include "weights/ModelConfig.h"
#include "weights/RopeOrder.h"
#include "weights/TensorNames.h"

namespace llamaweights {

/// Binds the tensors `config` asks for, by their plain names. Missing tensors, other shapes and
/// tensors that nobody asked for are errors; `where` names the folder or file.
/// With tied embeddings a stored output matrix is left unread.
llvm::Expected<std::unique_ptr<Checkpoint>>
createFileCheckpoint(llvm::StringRef where, std::vector<StoredTensor> tensors,
                     Naming naming, RowOrder order, const ModelConfig &config);

/// The same in the row order that goes with the names: Hugging Face's is
/// half-split, the others' interleaved.
llvm::Expected<std::unique_ptr<Checkpoint>>
createFileCheckpoint(llvm::StringRef where, std::vector<StoredTensor> tensors,
                     Naming naming, const ModelConfig &config);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_FILECHECKPOINT_H
