//===- FileCheckpoint.cpp - A checkpoint whose tensors lie in files -------===//
//
// The only place where stored names meet canonical ones. Rows are read with one
// pread per call; those of wq and wk that Hugging Face stores half-split, with
// two per head.
//
//===----------------------------------------------------------------------===//

#include "weights/Readers/FileCheckpoint.h"

#include "weights/InputError.h"
#include "weights/RopeOrder.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <cassert>

using namespace llvm;

namespace llamaweights {
namespace {

class FileCheckpoint : public Checkpoint {
public:
  ArrayRef<TensorInfo> getTensors() const override { return infos; }

  Error readRows(const TensorInfo &tensor, int64_t first, int64_t count,
                 MutableArrayRef<char> out) const override;

  void add(const ExpectedTensor &expected, StoredTensor stored,
           int64_t halfSplitHeadDim);

private:
  struct Place {
    std::shared_ptr<InputFile> file;
    uint64_t offset;
    int64_t halfSplitHeadDim; ///< 0: rows are stored in canonical order
  };
  std::vector<TensorInfo> infos;
  std::vector<Place> places; ///< of infos, one by one
};

void FileCheckpoint::add(const ExpectedTensor &expected, StoredTensor stored,
                         int64_t halfSplitHeadDim) {
  infos.push_back({expected.name, std::move(stored.name),
                   stored.file->getPath().str(), stored.dtype,
                   std::move(stored.shape)});
  places.push_back({std::move(stored.file), stored.offset, halfSplitHeadDim});
}

Error FileCheckpoint::readRows(const TensorInfo &tensor, int64_t first,
                               int64_t count, MutableArrayRef<char> out) const {
  size_t index = size_t(&tensor - infos.data());
  assert(index < infos.size() && "a tensor of this checkpoint");
  assert(first >= 0 && count >= 0 && count <= tensor.getRows() - first &&
         "rows of the tensor");
  int64_t rowBytes = tensor.getRowBytes();
  assert(int64_t(out.size()) == count * rowBytes && "room for the rows asked");

  const Place &place = places[index];
  auto readStored = [&](int64_t row, MutableArrayRef<char> rows) {
    return place.file->read(place.offset + uint64_t(row * rowBytes), rows);
  };
  if (place.halfSplitHeadDim == 0)
    return readStored(first, out);
  return readInterleavedRows(first, count, place.halfSplitHeadDim, rowBytes,
                             readStored, out);
}

/// Complains about what is left over once every tensor has found its use.
Error refuseExtraTensors(StringRef where, ArrayRef<StoredTensor> tensors,
                         const StringMap<size_t> &unused, Naming naming) {
  std::string names;
  int64_t extra = 0;
  for (const StoredTensor &tensor : tensors) {
    if (!unused.contains(tensor.name) || isDerivedTensor(tensor.name, naming))
      continue;
    if (++extra <= 3)
      names += (extra > 1 ? ", " : "") + quote(tensor.name);
  }
  if (extra == 0)
    return Error::success();
  if (extra > 3)
    names += " and " + std::to_string(extra - 3) + " more";
  return makeInputError(where, "holds tensors that a Llama of these "
                               "hyper-parameters does not have: " +
                                   names);
}

} // namespace

std::optional<int64_t> getStoredBytes(DType dtype, ArrayRef<int64_t> shape) {
  int64_t blockElements = getBlockElements(dtype);
  int64_t bytes = getBlockBytes(dtype);
  if (blockElements != 1 && (shape.empty() || shape.back() % blockElements))
    return std::nullopt;
  for (auto [i, dim] : enumerate(shape)) {
    int64_t units = i + 1 == shape.size() ? dim / blockElements : dim;
    if (dim < 0 || MulOverflow(bytes, units, bytes))
      return std::nullopt;
  }
  return bytes;
}

const StoredTensor *findStored(ArrayRef<StoredTensor> tensors, StringRef name) {
  for (const StoredTensor &tensor : tensors)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}

Expected<std::unique_ptr<Checkpoint>>
createFileCheckpoint(StringRef where, std::vector<StoredTensor> tensors,
                     Naming naming, const ModelConfig &config) {
  StringMap<size_t> unused;
  for (auto [i, tensor] : enumerate(tensors))
    if (!unused.try_emplace(tensor.name, i).second)
      return makeInputError(tensor.file->getPath(),
                            "tensor " + quote(tensor.name) +
                                ": is there twice, the first time in " +
                                tensors[unused[tensor.name]].file->getPath());

  auto checkpoint = std::make_unique<FileCheckpoint>();
  for (const ExpectedTensor &expected : getExpectedTensors(config)) {
    std::string name = getSourceName(expected.name, naming);
    auto found = unused.find(name);
    if (found == unused.end())
      return makeInputError(where, "tensor " + quote(name) + ": is missing");
    const StoredTensor &stored = tensors[found->second];
    if (stored.shape != expected.shape)
      return makeInputError(stored.file->getPath(),
                            "tensor " + quote(name) + ": expected shape " +
                                formatShape(expected.shape) + ", found " +
                                formatShape(stored.shape));
    bool halfSplit = expected.isRotated && naming == Naming::HuggingFace;
    checkpoint->add(expected, stored, halfSplit ? config.headDim : 0);
    unused.erase(found);
  }
  if (config.tiedEmbeddings)
    unused.erase(getSourceName("output", naming));
  if (Error error = refuseExtraTensors(where, tensors, unused, naming))
    return std::move(error);
  return checkpoint;
}

} // namespace llamaweights
