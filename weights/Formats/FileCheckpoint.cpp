//===- FileCheckpoint.cpp - A checkpoint whose tensors lie in files -------===//
//
// The only place where stored names meet canonical ones. Rows that lie one
// after the other are read with one pread per call; those of wq and wk that
// Hugging Face stores half-split, with two per head.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/FileCheckpoint.h"

#include "weights/InputError.h"
#include "weights/RopeOrder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cassert>
#include <cstring>

using namespace llvm;

namespace llamaweights {
namespace {

class FileCheckpoint : public Checkpoint {
public:
  ArrayRef<TensorInfo> getTensors() const override { return infos; }

  Error readRows(const TensorInfo &tensor, int64_t first, int64_t count,
                 MutableArrayRef<char> out) const override;

  const QuantizedMatrix *getQuantized(const TensorInfo &tensor) const override {
    return places[getIndex(tensor)].quantized.get();
  }

  void add(const ExpectedTensor &expected, StoredTensor stored,
           int64_t halfSplitHeadDim);

private:
  struct Place {
    std::shared_ptr<InputFile> file;
    uint64_t offset;
    int64_t halfSplitHeadDim; ///< 0: rows are stored in canonical order
    std::vector<StoredPiece> pieces;
    std::shared_ptr<const RowSource> rows;
    std::shared_ptr<const QuantizedMatrix> quantized;
  };
  size_t getIndex(const TensorInfo &tensor) const {
    size_t index = size_t(&tensor - infos.data());
    assert(index < infos.size() && "a tensor of this checkpoint");
    return index;
  }
  /// Rows in stored order.
  static Error readStored(const Place &place, const TensorInfo &tensor,
                          int64_t first, int64_t count,
                          MutableArrayRef<char> out);
  std::vector<TensorInfo> infos;
  std::vector<Place> places; ///< of infos, one by one
};

void FileCheckpoint::add(const ExpectedTensor &expected, StoredTensor stored,
                         int64_t halfSplitHeadDim) {
  infos.push_back({expected.name, std::move(stored.name),
                   stored.file->getPath().str(), stored.dtype,
                   std::move(stored.shape)});
  infos.back().isHadamardRotated =
      stored.quantized && stored.quantized->isHadamardRotated;
  places.push_back({std::move(stored.file), stored.offset, halfSplitHeadDim,
                    std::move(stored.pieces), std::move(stored.rows),
                    std::move(stored.quantized)});
}

Error FileCheckpoint::readStored(const Place &place, const TensorInfo &tensor,
                                 int64_t first, int64_t count,
                                 MutableArrayRef<char> out) {
  if (place.rows)
    return place.rows->readRows(first, count, out);
  if (!place.pieces.empty())
    return readPieces(place.pieces, getBlockBytes(tensor.dtype),
                      tensor.getColumns(), first, count, out);
  return place.file->read(place.offset + uint64_t(first * tensor.getRowBytes()),
                          out);
}

/// Rows of whole heads are read as they are stored, a few MiB at a time, and
/// put in order in memory: for tensors of which single rows are expensive.
Error readHeads(
    int64_t first, int64_t count, int64_t headDim, int64_t rowBytes,
    function_ref<Error(int64_t, int64_t, MutableArrayRef<char>)> readStored,
    MutableArrayRef<char> out) {
  int64_t begin = first - first % headDim;
  int64_t end = alignTo(uint64_t(first + count), uint64_t(headDim));
  int64_t step = std::clamp<int64_t>((8 << 20) / (rowBytes * headDim), 1,
                                     (end - begin) / headDim) *
                 headDim;
  auto block = std::make_unique_for_overwrite<char[]>(step * rowBytes);
  for (int64_t row = begin; row < end; row += step) {
    int64_t rows = std::min(step, end - row);
    if (Error error =
            readStored(row, rows, {block.get(), size_t(rows * rowBytes)}))
      return error;
    int64_t last = std::min(row + rows, first + count);
    for (int64_t i = std::max(row, first); i < last; ++i)
      std::memcpy(out.data() + (i - first) * rowBytes,
                  block.get() + (getHalfSplitRow(i, headDim) - row) * rowBytes,
                  size_t(rowBytes));
  }
  return Error::success();
}

Error FileCheckpoint::readRows(const TensorInfo &tensor, int64_t first,
                               int64_t count, MutableArrayRef<char> out) const {
  assert(first >= 0 && count >= 0 && count <= tensor.getRows() - first &&
         "rows of the tensor");
  int64_t rowBytes = tensor.getRowBytes();
  assert(int64_t(out.size()) == count * rowBytes && "room for the rows asked");

  const Place &place = places[getIndex(tensor)];
  auto read = [&](int64_t row, int64_t rows, MutableArrayRef<char> bytes) {
    return readStored(place, tensor, row, rows, bytes);
  };
  if (place.halfSplitHeadDim == 0)
    return read(first, count, out);
  if (place.rows || !place.pieces.empty())
    return readHeads(first, count, place.halfSplitHeadDim, rowBytes, read, out);
  return readInterleavedRows(
      first, count, place.halfSplitHeadDim, rowBytes,
      [&](int64_t row, MutableArrayRef<char> rows) {
        return read(row, int64_t(rows.size()) / rowBytes, rows);
      },
      out);
}

/// Complains about what is left over once every tensor has found its use.
Error refuseExtraTensors(StringRef where, ArrayRef<StoredTensor> tensors,
                         const StringMap<size_t> &unused, Naming naming) {
  std::string names;
  int64_t extra = 0;
  for (const StoredTensor &tensor : tensors) {
    std::string name = getPlainName(tensor.name, naming);
    if (!unused.contains(name) || isDerivedTensor(name, naming))
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

/// Low-rank matrices beside those of the model, or instead of them.
Error refuseAdapters(StringRef where, ArrayRef<StoredTensor> tensors) {
  for (const StoredTensor &tensor : tensors)
    if (StringRef(tensor.name).contains(".lora_"))
      return makeInputError(where, "holds tensors of a LoRA adapter, such as " +
                                       quote(tensor.name) +
                                       ": merge it into its base model first "
                                       "(peft's merge_and_unload)");
  return Error::success();
}

/// Says what the tensors are called if no name is one of a Llama's. `tensors`
/// is empty where some have been found.
Error complainAboutMissing(StringRef where, StringRef name,
                           ArrayRef<StoredTensor> tensors,
                           ArrayRef<ExpectedTensor> expected,
                           const StringMap<size_t> &unused, Naming naming) {
  bool isStrange = none_of(expected, [&](const ExpectedTensor &tensor) {
    return unused.contains(getSourceName(tensor.name, naming));
  });
  std::string hint;
  if (isStrange && !tensors.empty())
    hint = "; no name is one of a Llama's, the first is " +
           quote(tensors.front().name);
  return makeInputError(where, "tensor " + quote(name) + ": is missing" + hint);
}

} // namespace

Expected<std::unique_ptr<Checkpoint>>
createFileCheckpoint(StringRef where, std::vector<StoredTensor> tensors,
                     Naming naming, const ModelConfig &config) {
  RowOrder order = naming == Naming::HuggingFace ? RowOrder::HalfSplit
                                                 : RowOrder::Interleaved;
  return createFileCheckpoint(where, std::move(tensors), naming, order, config);
}

Expected<std::unique_ptr<Checkpoint>>
createFileCheckpoint(StringRef where, std::vector<StoredTensor> tensors,
                     Naming naming, RowOrder order, const ModelConfig &config) {
  if (Error error = refuseAdapters(where, tensors))
    return std::move(error);
  StringMap<size_t> unused; // by plain name
  for (auto [i, tensor] : enumerate(tensors)) {
    auto [entry, isNew] =
        unused.try_emplace(getPlainName(tensor.name, naming), i);
    if (!isNew)
      return makeInputError(tensor.file->getPath(),
                            "tensor " + quote(tensor.name) +
                                ": is there twice, the first time in " +
                                tensors[entry->second].file->getPath());
  }

  auto checkpoint = std::make_unique<FileCheckpoint>();
  std::vector<ExpectedTensor> wanted = getExpectedTensors(config);
  for (const ExpectedTensor &expected : wanted) {
    std::string name = getSourceName(expected.name, naming);
    auto found = unused.find(name);
    if (found == unused.end())
      return complainAboutMissing(where, name,
                                  checkpoint->getTensors().empty()
                                      ? ArrayRef(tensors)
                                      : ArrayRef<StoredTensor>(),
                                  wanted, unused, naming);
    const StoredTensor &stored = tensors[found->second];
    if (stored.shape != expected.shape)
      return makeInputError(stored.file->getPath(),
                            "tensor " + quote(name) + ": expected shape " +
                                formatShape(expected.shape) + ", found " +
                                formatShape(stored.shape));
    if (stored.dtype == DType::I8)
      return makeInputError(stored.file->getPath(),
                            "tensor " + quote(name) +
                                ": expected numbers with a fraction, found "
                                "i8 without scales");
    bool halfSplit = expected.hasRopePairs && order == RowOrder::HalfSplit;
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
