//===- MetaFolder.cpp - consolidated.NN.pth -------------------------------===//
//
// Which axis a tensor was cut along follows from its name; that of
// tok_embeddings from its shape, because Llama 2 cut columns and Llama 3 rows.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/MetaFolder.h"

#include "weights/Containers/TorchPickle.h"
#include "weights/InputError.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr int64_t kMostShards = 64;

enum class Cut : uint8_t { Rows, Columns, Copies };

Cut getCut(const StoredTensor &tensor, const ModelConfig &config) {
  StringRef name = tensor.name;
  if (tensor.shape.size() != 2)
    return Cut::Copies;
  if (name.contains(".wo.") || name.contains(".w2."))
    return Cut::Columns;
  if (name.starts_with("tok_embeddings.") && tensor.shape[1] != config.hidden)
    return Cut::Columns;
  return Cut::Rows;
}

/// Every how many files the rows of wk and wv change.
int64_t getRepeats(const StoredTensor &tensor, int64_t shards,
                   const ModelConfig &config) {
  StringRef name = tensor.name;
  bool isKeyOrValue = name.contains(".wk.") || name.contains(".wv.");
  int64_t rows = config.kvHeads * config.headDim;
  if (!isKeyOrValue || tensor.shape[0] < 1 || rows % tensor.shape[0] != 0)
    return 1;
  int64_t needed = rows / tensor.shape[0];
  return needed < shards && shards % needed == 0 ? shards / needed : 1;
}

/// The parts of one tensor, of `repeats` files in a row the first.
StoredTensor merge(ArrayRef<const StoredTensor *> parts, Cut cut) {
  StoredTensor whole = *parts[0];
  if (cut == Cut::Copies || parts.size() == 1)
    return whole;
  whole.pieces.clear();
  size_t axis = cut == Cut::Rows ? 0 : 1;
  whole.shape[axis] = 0;
  for (const StoredTensor *part : parts) {
    for (StoredPiece piece : getPieces(*part)) {
      (axis == 0 ? piece.firstRow : piece.firstColumn) += whole.shape[axis];
      whole.pieces.push_back(std::move(piece));
    }
    whole.shape[axis] += part->shape[axis];
  }
  return whole;
}

/// Whether a part has the type of the first and, but for the axis along which
/// the tensor was cut, its shape.
bool fits(const StoredTensor &part, const StoredTensor &first, Cut cut) {
  if (part.dtype != first.dtype || part.shape.size() != first.shape.size())
    return false;
  for (size_t i = 0; i < part.shape.size(); ++i)
    if (part.shape[i] != first.shape[i] &&
        (cut == Cut::Copies || i == (cut == Cut::Rows ? 1u : 0u)))
      return false;
  return true;
}

std::string getShardName(int64_t number) {
  return formatv("consolidated.{0}{1}.pth", number / 10, number % 10).str();
}

} // namespace

bool hasMetaShards(StringRef folder) {
  return sys::fs::exists(getPathIn(folder, "consolidated.00.pth"));
}

Expected<MetaShards> readMetaShards(StringRef folder, LinkPolicy links) {
  auto names = listFolder(folder, "consolidated.", ".pth");
  if (!names)
    return names.takeError();
  if (int64_t(names->size()) > kMostShards)
    return makeInputError(folder, "holds " + Twine(names->size()) +
                                      " files consolidated.*.pth, expected at "
                                      "most " +
                                      Twine(kMostShards));
  MetaShards shards;
  for (const std::string &name : *names) {
    std::string expected = getShardName(int64_t(shards.size()));
    if (name != expected)
      return makeInputError(folder, "expected " + quote(expected) + ", found " +
                                        quote(name));
    auto file = openInFolder(folder, name, links);
    if (!file)
      return file.takeError();
    auto tensors = readTorchPickle(*file);
    if (!tensors)
      return tensors.takeError();
    if (!shards.empty() && tensors->size() != shards[0].size())
      return makeInputError((*file)->getPath(),
                            "holds " + Twine(tensors->size()) +
                                " tensors, but consolidated.00.pth " +
                                Twine(shards[0].size()));
    shards.push_back(std::move(*tensors));
  }
  return shards;
}

MetaShapes getMetaShapes(const MetaShards &shards) {
  MetaShapes shapes;
  int64_t count = int64_t(shards.size());
  auto find = [&](StringRef name) {
    const StoredTensor *tensor = findStored(shards[0], name);
    return tensor && tensor->shape.size() == 2 ? tensor : nullptr;
  };
  const StoredTensor *query = find("layers.0.attention.wq.weight");
  if (const StoredTensor *embedding = find("tok_embeddings.weight")) {
    bool isRows = !query || embedding->shape[1] == query->shape[1];
    shapes.vocab = embedding->shape[0] * (isRows ? count : 1);
  }
  if (const StoredTensor *gate = find("layers.0.feed_forward.w1.weight"))
    shapes.ffn = gate->shape[0] * count;
  shapes.hasOutput = find("output.weight") != nullptr;
  return shapes;
}

Expected<std::vector<StoredTensor>> mergeMetaShards(MetaShards shards,
                                                    const ModelConfig &config) {
  if (shards.size() == 1)
    return std::move(shards[0]);
  std::vector<StringMap<const StoredTensor *>> byName(shards.size());
  for (size_t i = 0; i < shards.size(); ++i)
    for (const StoredTensor &tensor : shards[i])
      byName[i][tensor.name] = &tensor;
  std::vector<StoredTensor> merged;
  for (const StoredTensor &first : shards[0]) {
    Cut cut = getCut(first, config);
    int64_t count = int64_t(shards.size());
    int64_t repeats = cut == Cut::Rows ? getRepeats(first, count, config) : 1;
    std::vector<const StoredTensor *> parts;
    for (int64_t i = 0; i < count; ++i) {
      const StoredTensor *part = byName[size_t(i)].lookup(first.name);
      StringRef path = shards[size_t(i)].front().file->getPath();
      if (!part)
        return makeInputError(path,
                              "tensor " + quote(first.name) + ": is missing");
      if (!fits(*part, first, cut))
        return makeInputError(
            path, "tensor " + quote(first.name) + ": is " +
                      formatShape(part->shape) + " of " + getName(part->dtype) +
                      ", but consolidated.00.pth has " +
                      formatShape(first.shape) + " of " + getName(first.dtype));
      if (i % repeats == 0)
        parts.push_back(part);
    }
    merged.push_back(merge(parts, cut));
  }
  return merged;
}

} // namespace llamaweights
