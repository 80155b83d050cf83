//===- Nanotron.cpp - Checkpoints of nanotron -----------------------------===//
//
// Slices of files => pieces of a tensor => rows of it as tensors of their own.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/Nanotron.h"

#include "weights/Containers/Safetensors.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

#include <algorithm>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr int64_t kMostRanks = 1024;
constexpr size_t kMostPieces = 4096;

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// A part of a matrix; of a vector, a row.
struct Rectangle {
  int64_t firstRow = 0, rows = 1, firstColumn = 0, columns = 0;
};

/// "0,64,None", within [0, size).
bool parseSlice(StringRef text, int64_t size, int64_t &first, int64_t &count) {
  SmallVector<StringRef, 3> parts;
  text.split(parts, ',');
  if (parts.size() != 3)
    return false;
  int64_t start = 0, stop = size;
  StringRef from = parts[0].trim(), to = parts[1].trim(),
            step = parts[2].trim();
  if ((from != "None" && from.getAsInteger(10, start)) ||
      (to != "None" && to.getAsInteger(10, stop)) ||
      (step != "None" && step != "1"))
    return false;
  if (start < 0 || stop < start || stop > size)
    return false;
  std::tie(first, count) = std::pair(start, stop - start);
  return true;
}

/// "0,64,None|0,256,None", within a tensor of that shape.
bool parseSlices(StringRef text, ArrayRef<int64_t> shape, Rectangle &out) {
  SmallVector<StringRef, 2> parts;
  text.split(parts, '|');
  if (parts.size() != shape.size())
    return false;
  if (shape.size() == 2 &&
      !parseSlice(parts[0], shape[0], out.firstRow, out.rows))
    return false;
  return parseSlice(parts.back(), shape.back(), out.firstColumn, out.columns);
}

/// "(192, 64)", "(np.int64(192), 64)", "torch.Size([192, 64])".
bool parseShape(StringRef text, std::vector<int64_t> &shape) {
  std::string numbers = text.str();
  for (StringRef wrapper : {"torch.Size", "np.int64"})
    for (size_t at = 0; (at = numbers.find(wrapper)) != std::string::npos;)
      numbers.erase(at, wrapper.size());
  SmallVector<StringRef, 4> parts;
  StringRef(numbers).split(parts, ',');
  for (StringRef part : parts) {
    int64_t dim = 0;
    part = part.trim(" ()[]");
    if (part.empty())
      continue; // the comma after a single dimension
    if (part.getAsInteger(10, dim) || dim < 0)
      return false;
    shape.push_back(dim);
  }
  return shape.size() == 1 || shape.size() == 2;
}

bool overlap(const StoredPiece &a, const StoredPiece &b) {
  return a.firstRow < b.firstRow + b.rows && b.firstRow < a.firstRow + a.rows &&
         a.firstColumn < b.firstColumn + b.columns &&
         b.firstColumn < a.firstColumn + a.columns;
}

/// Whether the pieces cover the shape, each element once (S3).
bool coverOnce(ArrayRef<StoredPiece> pieces, ArrayRef<int64_t> shape) {
  int64_t elements = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    for (size_t j = 0; j < i; ++j)
      if (overlap(pieces[i], pieces[j]))
        return false;
    elements += pieces[i].rows * pieces[i].columns;
  }
  return elements == (shape.size() == 2 ? shape[0] : 1) * shape.back();
}

//===----------------------------------------------------------------------===//
// One parameter
//===----------------------------------------------------------------------===//

/// "model_weight_pp-rank-0-of-1_tp-rank-1-of-2.safetensors" => 1 of 2;
/// "model_weight.safetensors" => 0 of 1.
bool parseRank(StringRef name, int64_t &rank, int64_t &ranks) {
  name.consume_front("model_weight");
  name.consume_back(".safetensors");
  std::tie(rank, ranks) = std::pair(0, 1);
  if (name.empty())
    return true;
  size_t at = name.find("_tp-rank-");
  if (at == StringRef::npos)
    return false;
  name = name.drop_front(at + StringRef("_tp-rank-").size());
  return !name.consumeInteger(10, rank) && name.consume_front("-of-") &&
         !name.consumeInteger(10, ranks) && name.empty() && ranks >= 1 &&
         ranks <= kMostRanks && rank >= 0 && rank < ranks;
}

/// The one tensor "data" of a file.
Expected<StoredTensor> readData(const std::shared_ptr<InputFile> &file,
                                SafetensorsMetadata &metadata) {
  auto tensors = readSafetensors(file, &metadata);
  if (!tensors)
    return tensors.takeError();
  if (tensors->size() != 1 || tensors->front().name != "data")
    return makeInputError(file->getPath(),
                          "expected one tensor, 'data', found " +
                              Twine(tensors->size()));
  if (tensors->front().shape.empty() || tensors->front().shape.size() > 2)
    return makeInputError(file->getPath(),
                          "expected a tensor of one or two dimensions, found " +
                              formatShape(tensors->front().shape));
  return std::move(tensors->front());
}

/// Adds the slices of one file to the tensor.
Error addSlices(const StoredTensor &part, const SafetensorsMetadata &metadata,
                StoredTensor &whole) {
  StringRef path = part.file->getPath();
  auto shape = metadata.find("unsharded_shape");
  auto pairs = metadata.find("local_global_slices_pairs");
  if (shape == metadata.end() || pairs == metadata.end())
    return makeInputError(path, "is one of several files of a tensor, but its "
                                "metadata does not say which part");
  std::vector<int64_t> parsed;
  if (!parseShape(shape->second, parsed))
    return makeInputError(path, "unsharded_shape is " + quote(shape->second) +
                                    ", expected one or two sizes");
  if (whole.pieces.empty())
    std::tie(whole.shape, whole.dtype) = std::pair(parsed, part.dtype);
  if (whole.shape != parsed || whole.dtype != part.dtype ||
      part.shape.size() != parsed.size())
    return makeInputError(
        path, "is a part of " + formatShape(parsed) + " of " +
                  getName(part.dtype) + ", but another file one of " +
                  formatShape(whole.shape) + " of " + getName(whole.dtype));
  SmallVector<StringRef> list;
  StringRef(pairs->second).split(list, ';', -1, /*KeepEmpty=*/false);
  for (StringRef pair : list) {
    Rectangle from, to;
    auto [local, global] = pair.split('#');
    if (!parseSlices(local, part.shape, from) ||
        !parseSlices(global, parsed, to) || from.rows != to.rows ||
        from.columns != to.columns)
      return makeInputError(
          path, "slices " + quote(pair) + " do not fit a part of " +
                    formatShape(part.shape) + " of " + formatShape(parsed));
    if (whole.pieces.size() == kMostPieces)
      return makeInputError(path, "the tensor consists of more than " +
                                      Twine(kMostPieces) + " slices");
    StoredPiece piece = getPieces(part)[0];
    piece.offset += uint64_t(from.firstRow * piece.rowStride +
                             from.firstColumn * piece.columnStride);
    std::tie(piece.firstRow, piece.rows) = std::pair(to.firstRow, to.rows);
    std::tie(piece.firstColumn, piece.columns) =
        std::pair(to.firstColumn, to.columns);
    whole.pieces.push_back(std::move(piece));
  }
  return Error::success();
}

/// Rows [first, first + count) as a tensor of their own.
StoredTensor takeRows(const StoredTensor &tensor, int64_t first, int64_t count,
                      const Twine &name) {
  StoredTensor result = tensor;
  result.name = name.str();
  result.shape[0] = count;
  result.pieces.clear();
  if (tensor.pieces.empty()) {
    result.offset +=
        uint64_t(first * tensor.shape[1] * getBlockBytes(tensor.dtype));
    return result;
  }
  for (StoredPiece piece : tensor.pieces) {
    int64_t begin = std::max(first, piece.firstRow);
    int64_t end = std::min(first + count, piece.firstRow + piece.rows);
    if (begin >= end)
      continue;
    piece.offset += uint64_t((begin - piece.firstRow) * piece.rowStride);
    std::tie(piece.firstRow, piece.rows) =
        std::pair(begin - first, end - begin);
    result.pieces.push_back(std::move(piece));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// All of them
//===----------------------------------------------------------------------===//

class NanotronReader {
public:
  NanotronReader(StringRef folder, const ModelConfig &config, LinkPolicy links)
      : folder(folder), config(config), links(links) {}

  Error readAll(std::vector<StoredTensor> &all) {
    tensors = &all;
    if (Error error = add("token_position_embeddings/pp_block/token_embedding",
                          "tok_embeddings"))
      return error;
    for (int64_t layer = 0; layer < config.layers; ++layer)
      if (Error error = addLayer(layer))
        return error;
    if (Error error = add("final_layer_norm/pp_block", "norm"))
      return error;
    constexpr StringLiteral kHead = "lm_head/pp_block";
    bool isStored =
        sys::fs::exists(getPathIn(folder, ("model/model/" + kHead).str()));
    return config.tiedEmbeddings && !isStored ? Error::success()
                                              : add(kHead, "output");
  }

private:
  Error add(const Twine &path, const Twine &name) {
    auto tensor =
        readNanotronTensor(folder, ("model/model/" + path).str(), links);
    if (!tensor)
      return tensor.takeError();
    tensor->name = (name + ".weight").str();
    tensors->push_back(std::move(*tensor));
    return Error::success();
  }

  /// A tensor whose rows belong to several.
  Error addParts(const std::string &path, const std::string &prefix,
                 ArrayRef<std::pair<StringRef, int64_t>> parts) {
    auto tensor = readNanotronTensor(folder, "model/model/" + path, links);
    if (!tensor)
      return tensor.takeError();
    int64_t expected = 0, first = 0;
    for (const auto &[name, rows] : parts)
      expected += rows;
    if (tensor->shape.size() != 2 || tensor->shape[0] != expected)
      return makeInputError(tensor->file->getPath(),
                            "expected " + Twine(expected) +
                                " rows, found shape " +
                                formatShape(tensor->shape));
    for (const auto &[name, rows] : parts) {
      tensors->push_back(
          takeRows(*tensor, first, rows, prefix + name + ".weight"));
      first += rows;
    }
    return Error::success();
  }

  Error addLayer(int64_t layer) {
    std::string path = "decoder/" + itostr(layer) + "/pp_block/";
    std::string name = "layers." + itostr(layer) + ".";
    int64_t query = config.heads * config.headDim;
    int64_t kv = config.kvHeads * config.headDim;
    if (Error error = add(path + "input_layernorm", name + "attention_norm"))
      return error;
    if (Error error = addParts(path + "attn/qkv_proj", name + "attention.",
                               {{"wq", query}, {"wk", kv}, {"wv", kv}}))
      return error;
    if (Error error = add(path + "attn/o_proj", name + "attention.wo"))
      return error;
    if (Error error = add(path + "post_attention_layernorm", name + "ffn_norm"))
      return error;
    if (Error error =
            addParts(path + "mlp/gate_up_proj", name + "feed_forward.",
                     {{"w1", config.ffn}, {"w3", config.ffn}}))
      return error;
    return add(path + "mlp/down_proj", name + "feed_forward.w2");
  }

  StringRef folder;
  const ModelConfig &config;
  LinkPolicy links;
  std::vector<StoredTensor> *tensors = nullptr;
};

} // namespace

bool hasNanotron(StringRef folder) {
  return sys::fs::exists(getPathIn(folder, "model_config.json")) &&
         sys::fs::is_directory(getPathIn(folder, "model/model"));
}

Expected<StoredTensor>
mergeNanotronFiles(ArrayRef<std::shared_ptr<InputFile>> files,
                   StringRef where) {
  StoredTensor whole;
  for (const std::shared_ptr<InputFile> &file : files) {
    SafetensorsMetadata metadata;
    auto part = readData(file, metadata);
    if (!part)
      return part.takeError();
    if (Error error = addSlices(*part, metadata, whole))
      return std::move(error);
    whole.file = file;
  }
  if (!getStoredBytes(whole.dtype, whole.shape) ||
      !coverOnce(whole.pieces, whole.shape))
    return makeInputError(where, "the slices of the files do not cover " +
                                     formatShape(whole.shape) + " once");
  return whole;
}

Expected<StoredTensor> readNanotronTensor(StringRef folder, StringRef path,
                                          LinkPolicy links) {
  std::string where = getPathIn(folder, path);
  auto names = listFolder(where, "model_weight", ".safetensors");
  if (!names)
    return names.takeError();
  if (names->empty())
    return makeInputError(where, "holds no model_weight*.safetensors");
  std::vector<std::shared_ptr<InputFile>> files; // by rank
  for (const std::string &name : *names) {
    int64_t rank = 0, ranks = 1;
    if (!parseRank(name, rank, ranks) ||
        (!files.empty() && int64_t(files.size()) != ranks))
      return makeInputError(
          where, "file " + quote(name) +
                     ": is not a part of the same tensor as the others");
    files.resize(size_t(ranks));
    if (files[size_t(rank)])
      return makeInputError(where, "file " + quote(name) +
                                       ": is there twice, of two stages");
    auto file = openInFolder(folder, (path + "/" + name).str(), links,
                             InputFile::Handle::Reopened);
    if (!file)
      return file.takeError();
    files[size_t(rank)] = std::move(*file);
  }
  auto missing = std::find(files.begin(), files.end(), nullptr);
  if (missing != files.end())
    return makeInputError(where, "the file of rank " +
                                     Twine(missing - files.begin()) + " of " +
                                     Twine(files.size()) + " is missing");
  if (files.size() > 1)
    return mergeNanotronFiles(files, where);
  SafetensorsMetadata metadata;
  return readData(files[0], metadata);
}

Expected<std::vector<StoredTensor>>
readNanotron(StringRef folder, const ModelConfig &config, LinkPolicy links) {
  std::vector<StoredTensor> tensors;
  if (Error error = NanotronReader(folder, config, links).readAll(tensors))
    return std::move(error);
  return tensors;
}

} // namespace llamaweights
