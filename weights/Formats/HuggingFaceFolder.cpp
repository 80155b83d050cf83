//===- HuggingFaceFolder.cpp - Shards of Hugging Face's checkpoints -------===//
//
// Names of files; ShardIndex does the rest.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/HuggingFaceFolder.h"

#include "weights/Containers/Safetensors.h"
#include "weights/Containers/TorchPickle.h"
#include "weights/Formats/ShardIndex.h"
#include "weights/InputError.h"

#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr StringLiteral kSafetensors = "model.safetensors";
constexpr StringLiteral kSafetensorsIndex = "model.safetensors.index.json";
constexpr StringLiteral kTorchModel = "pytorch_model.bin";
constexpr StringLiteral kTorchModelIndex = "pytorch_model.bin.index.json";

bool hasAny(StringRef folder, StringRef single, StringRef index) {
  return sys::fs::exists(getPathIn(folder, single)) ||
         sys::fs::exists(getPathIn(folder, index));
}

} // namespace

bool hasSafetensors(StringRef folder) {
  return hasAny(folder, kSafetensors, kSafetensorsIndex);
}

Expected<std::vector<StoredTensor>> readSafetensorsFolder(StringRef folder,
                                                          LinkPolicy links) {
  if (sys::fs::is_directory(folder) && !hasSafetensors(folder))
    return makeInputError(folder, "holds neither " + kSafetensors + " nor " +
                                      kSafetensorsIndex);
  auto read = [](const std::shared_ptr<InputFile> &file) {
    return readSafetensors(file);
  };
  return readShardedFolder(folder, kSafetensors, kSafetensorsIndex, links,
                           read);
}

bool hasTorchModel(StringRef folder) {
  return hasAny(folder, kTorchModel, kTorchModelIndex);
}

Expected<std::vector<StoredTensor>> readTorchModel(StringRef folder,
                                                   LinkPolicy links) {
  return readShardedFolder(folder, kTorchModel, kTorchModelIndex, links,
                           readTorchPickle);
}
} // namespace llamaweights
