//===- Safetensors.h - *.safetensors ----------------------------*- C++ -*-===//
//
// u64 length, a JSON header of that length, then the data section:
//   {"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, ...}
//
// The tensors cover the data section exactly: no overlap, no hole, no rest.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_SAFETENSORS_H
#define LLAMA_WEIGHTS_CONTAINERS_SAFETENSORS_H

#include "weights/Containers/StoredTensor.h"

#include <map>

namespace llamaweights {

/// "__metadata__" of a header.
using SafetensorsMetadata = std::map<std::string, std::string>;

/// The tensors of one file. F32, F16 and BF16 only.
llvm::Expected<std::vector<StoredTensor>>
readSafetensors(const std::shared_ptr<InputFile> &file,
                SafetensorsMetadata *metadata = nullptr);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_SAFETENSORS_H
