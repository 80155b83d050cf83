//===- TorchStateDict.h - The dict inside of what torch.save writes -*- C++ -*-===//
//
// A pickled dict of calls, and where the bytes of storages are  =>  tensors
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_TORCHSTATEDICT_H
#define LLAMA_WEIGHTS_CONTAINERS_TORCHSTATEDICT_H

#include "weights/Containers/Pickle.h"
#include "weights/Containers/StoredTensor.h"

#include "llvm/ADT/StringMap.h"

namespace llamaweights {

/// Where the bytes of a storage are.
struct TorchStorage {
  uint64_t offset = 0, bytes = 0;
};

/// The globals that such a pickle may name.
llvm::ArrayRef<llvm::StringRef> getTorchNames();

/// The tensors of the dict, which may lie inside other ones.
llvm::Expected<std::vector<StoredTensor>>
readTorchStateDict(const std::shared_ptr<InputFile> &file,
                   const llvm::StringMap<TorchStorage> &storages,
                   const PickleValue &root);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_TORCHSTATEDICT_H
