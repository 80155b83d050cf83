//===- TorchPickle.h - *.pth and *.bin: what torch.save writes --*- C++ -*-===//
//
//   zip:     NAME/data.pkl, a pickled dict whose tensors refer to storages, and
//            the storages' bytes in NAME/data/KEY
//   legacy:  five pickles (magic number, version, machine, the dict, the list
//            of storage keys), then the length and bytes of each storage
//
// Nothing is executed (see Pickle.h). The dict may lie inside another one under
// "model", "state_dict" or "module"; what wrappers add to names is dropped
// (dropWrappers in TensorNames.h).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_TORCHPICKLE_H
#define LLAMA_WEIGHTS_CONTAINERS_TORCHPICKLE_H

#include "weights/Containers/StoredTensor.h"

namespace llamaweights {

/// In the order of the file. Elements are f32, f16, bf16 or int8.
llvm::Expected<std::vector<StoredTensor>>
readTorchPickle(const std::shared_ptr<InputFile> &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_TORCHPICKLE_H
