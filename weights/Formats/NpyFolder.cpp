//===- NpyFolder.cpp - Folders of *.npy files -----------------------------===//
//
// Names of files are names of tensors.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/NpyFolder.h"

#include "weights/Containers/Npy.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace llamaweights {

bool hasNpy(StringRef folder) {
  return sys::fs::exists(getPathIn(folder, "tok_embeddings.weight.npy"));
}

Expected<std::vector<StoredTensor>> readNpyFolder(StringRef folder,
                                                  LinkPolicy links) {
  auto names = listFolder(folder, "", ".npy");
  if (!names)
    return names.takeError();
  std::vector<StoredTensor> tensors;
  for (const std::string &name : *names) {
    // 405B has 1137 files, more than a process may usually hold open.
    auto file = openInFolder(folder, name, links, InputFile::Handle::Reopened);
    if (!file)
      return file.takeError();
    Expected<StoredTensor> tensor = readNpy(std::move(*file));
    if (!tensor)
      return tensor.takeError();
    tensor->name = sys::path::stem(name).str();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}
} // namespace llamaweights
