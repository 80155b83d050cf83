//===- BareTensors.cpp - Tensors without a model around them --------------===//
//
// The readers of the formats, with nothing between them and whoever looks.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/BareTensors.h"

#include "weights/Containers/Npy.h"
#include "weights/Containers/Safetensors.h"
#include "weights/Containers/TorchPickle.h"
#include "weights/Formats/FileCheckpoint.h"
#include "weights/Formats/LayerPickle.h"
#include "weights/Formats/NpyFolder.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace llamaweights {
namespace {

class BareCheckpoint : public Checkpoint {
public:
  explicit BareCheckpoint(std::vector<StoredTensor> stored)
      : tensors(std::move(stored)) {
    for (StoredTensor &tensor : tensors) {
      // Rows and columns are all that is asked for here.
      std::vector<int64_t> shape = tensor.shape;
      if (shape.empty())
        shape = {1};
      while (shape.size() > 2) {
        shape[0] *= shape[1];
        shape.erase(shape.begin() + 1);
      }
      infos.push_back({tensor.name, tensor.name, tensor.file->getPath().str(),
                       tensor.dtype, std::move(shape)});
    }
  }

  ArrayRef<TensorInfo> getTensors() const override { return infos; }

  Error readRows(const TensorInfo &tensor, int64_t first, int64_t count,
                 MutableArrayRef<char> out) const override {
    const StoredTensor &stored = tensors[size_t(&tensor - infos.data())];
    if (!stored.pieces.empty())
      return readPieces(stored.pieces, getBlockBytes(tensor.dtype),
                        tensor.getColumns(), first, count, out);
    return stored.file->read(
        stored.offset + uint64_t(first * tensor.getRowBytes()), out);
  }

private:
  std::vector<StoredTensor> tensors;
  std::vector<TensorInfo> infos;
};

Expected<std::vector<StoredTensor>> readFile(StringRef path) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  StringRef extension = sys::path::extension(path);
  if (extension == ".safetensors")
    return readSafetensors(*file);
  if (extension == ".pkl")
    return readArrayPickle(*file);
  if (extension != ".npy")
    return readTorchPickle(*file);
  Expected<StoredTensor> tensor = readNpy(*file);
  if (!tensor)
    return tensor.takeError();
  tensor->name = sys::path::stem(path).str();
  std::vector<StoredTensor> tensors;
  tensors.push_back(std::move(*tensor));
  return tensors;
}

} // namespace

bool isBare(StringRef path) {
  constexpr StringRef kExtensions[] = {".safetensors", ".pth", ".pt",
                                       ".bin",         ".pkl", ".npy"};
  if (!sys::fs::is_directory(path))
    return is_contained(kExtensions, sys::path::extension(path));
  for (StringRef name : {"params.json", "config.json", "model.json"})
    if (sys::fs::exists(getPathIn(path, name)))
      return false;
  auto names = listFolder(path, "", ".npy");
  if (names)
    return !names->empty();
  consumeError(names.takeError());
  return false;
}

Expected<std::unique_ptr<Checkpoint>> openBare(StringRef path,
                                               LinkPolicy links) {
  auto tensors =
      sys::fs::is_directory(path) ? readNpyFolder(path, links) : readFile(path);
  if (!tensors)
    return tensors.takeError();
  return std::make_unique<BareCheckpoint>(std::move(*tensors));
}

} // namespace llamaweights
