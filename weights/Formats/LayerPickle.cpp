//===- LayerPickle.cpp - layer_N.pkl --------------------------------------===//
//
// Numpy pickles an array in one of two ways: a call of _frombuffer (protocol
// 5), or an empty array that is then built with a tuple. Either way its
// elements are a run of bytes in the file, in C or in Fortran order.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/LayerPickle.h"

#include "weights/Containers/Pickle.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr StringRef kNames[] = {
    "collections.OrderedDict",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.numeric._frombuffer",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.numeric._frombuffer",
};
constexpr size_t kMostDimensions = 2;
constexpr size_t kMostLayers = 4096;

/// What a pickled array consists of.
struct ArrayParts {
  const PickleValue *dtype = nullptr, *shape = nullptr, *bytes = nullptr;
  bool isFortran = false;
};

class ArrayReader {
public:
  explicit ArrayReader(const std::shared_ptr<InputFile> &file) : file(file) {}

  Error readDict(const PickleValue &dict, const std::string &prefix, int levels,
                 std::vector<StoredTensor> &tensors);

private:
  Error readArray(const PickleValue &value, StoredTensor &tensor);
  Error findParts(const PickleValue &value, ArrayParts &parts);
  Error readType(const PickleValue &value, StoredTensor &tensor);

  Error fail(const Twine &message) {
    return makeInputError(file->getPath(),
                          "array " + quote(name) + ": " + message);
  }

  const std::shared_ptr<InputFile> &file;
  std::string name;
};

/// dtype('f4', False, True) built with (3, '<', None, ...).
Error ArrayReader::readType(const PickleValue &value, StoredTensor &tensor) {
  if (!value.isCall("numpy.dtype") || value.items.empty() ||
      value.items[0]->kind != PickleKind::String)
    return fail("expected a dtype, found " + describe(value));
  StringRef code = value.items[0]->text;
  if (code == "f4" || code == "<f4")
    tensor.dtype = DType::F32;
  else if (code == "f2" || code == "<f2")
    tensor.dtype = DType::F16;
  else
    return fail("expected elements 'f4' or 'f2', found " + quote(code));
  const PickleValue *state = value.state;
  if (!state)
    return Error::success();
  if (state->kind != PickleKind::Tuple || state->items.size() < 2 ||
      state->items[1]->kind != PickleKind::String)
    return fail("its dtype is not built as numpy does");
  StringRef order = state->items[1]->text;
  if (order != "<" && order != "=")
    return fail("expected little-endian elements, found order " + quote(order));
  return Error::success();
}

Error ArrayReader::findParts(const PickleValue &value, ArrayParts &parts) {
  StringRef call = value.kind == PickleKind::Call ? value.text : StringRef();
  if (call.ends_with("._frombuffer")) { // bytes, dtype, shape, order
    if (value.items.size() != 4 || value.items[3]->kind != PickleKind::String)
      return fail("is not pickled as numpy does");
    parts = {value.items[1], value.items[2], value.items[0],
             value.items[3]->text == "F"};
    return Error::success();
  }
  if (!call.ends_with("._reconstruct"))
    return fail("expected an array, found " + describe(value));
  const PickleValue *state = value.state; // version, shape, dtype, order, bytes
  if (!state || state->kind != PickleKind::Tuple || state->items.size() != 5 ||
      state->items[3]->kind != PickleKind::Bool)
    return fail("is not pickled as numpy does");
  parts = {state->items[2], state->items[1], state->items[4],
           state->items[3]->integer != 0};
  return Error::success();
}

Error ArrayReader::readArray(const PickleValue &value, StoredTensor &tensor) {
  ArrayParts parts;
  if (Error error = findParts(value, parts))
    return error;
  if (Error error = readType(*parts.dtype, tensor))
    return error;
  if (parts.shape->kind != PickleKind::Tuple ||
      parts.shape->items.size() > kMostDimensions)
    return fail("expected a shape of at most " + Twine(kMostDimensions) +
                " dimensions, found " + describe(*parts.shape));
  for (const PickleValue *dim : parts.shape->items) {
    if (dim->kind != PickleKind::Integer)
      return fail("expected a shape of integers, found " + describe(*dim));
    tensor.shape.push_back(dim->integer);
  }
  std::optional<int64_t> bytes = getStoredBytes(tensor.dtype, tensor.shape);
  if (!bytes)
    return fail("shape " + formatShape(tensor.shape) +
                " has a negative dimension or does not fit in 63 bits of "
                "bytes");
  if (parts.bytes->kind != PickleKind::Bytes)
    return fail("expected bytes, found " + describe(*parts.bytes));
  if (parts.bytes->length != uint64_t(*bytes))
    return fail("has " + Twine(parts.bytes->length) + " bytes, but shape " +
                formatShape(tensor.shape) + " of " + getName(tensor.dtype) +
                " has " + Twine(*bytes));
  tensor.offset = parts.bytes->offset;
  if (!parts.isFortran || tensor.shape.size() < 2)
    return Error::success();
  StoredPiece piece = getPieces(tensor)[0];
  piece.rowStride = getBlockBytes(tensor.dtype);
  piece.columnStride = piece.rowStride * piece.rows;
  tensor.pieces.push_back(std::move(piece));
  return Error::success();
}

Error ArrayReader::readDict(const PickleValue &dict, const std::string &prefix,
                            int levels, std::vector<StoredTensor> &tensors) {
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    if (dict.items[i]->kind != PickleKind::String)
      return makeInputError(file->getPath(), "expected the name of an array, "
                                             "found " +
                                                 describe(*dict.items[i]));
    name = prefix + dict.items[i]->text;
    const PickleValue &value = *dict.items[i + 1];
    if (value.kind == PickleKind::Dict && levels > 0) {
      if (Error error = readDict(value, name + ".", levels - 1, tensors))
        return error;
      continue;
    }
    StoredTensor tensor;
    tensor.name = name;
    tensor.file = file;
    if (Error error = readArray(value, tensor))
      return error;
    tensors.push_back(std::move(tensor));
  }
  return Error::success();
}

/// [in, out] => [out, in]
void transpose(StoredTensor &tensor) {
  std::vector<StoredPiece> pieces = getPieces(tensor);
  for (StoredPiece &piece : pieces) {
    std::swap(piece.rowStride, piece.columnStride);
    std::swap(piece.firstRow, piece.firstColumn);
    std::swap(piece.rows, piece.columns);
  }
  std::swap(tensor.shape[0], tensor.shape[1]);
  // What was in Fortran order is one run of bytes now, but need not be told so.
  tensor.pieces = std::move(pieces);
}

Error readFile(StringRef folder, StringRef name, LinkPolicy links,
               std::vector<StoredTensor> &tensors) {
  auto file = openInFolder(folder, name, links, InputFile::Handle::Reopened);
  if (!file)
    return file.takeError();
  return readArrayPickle(*file).moveInto(tensors);
}

/// 'attention.wq' => 'layers.3.attention.wq.weight', as [out, in].
Error addLayer(StringRef folder, size_t layer, LinkPolicy links,
               std::vector<StoredTensor> &all) {
  std::vector<StoredTensor> tensors;
  if (Error error =
          readFile(folder, "layer_" + utostr(layer) + ".pkl", links, tensors))
    return error;
  for (StoredTensor &tensor : tensors) {
    StringRef name = tensor.name;
    bool isMatrix = !name.ends_with(".weight");
    if (isMatrix && tensor.shape.size() == 2)
      transpose(tensor);
    tensor.name =
        ("layers." + Twine(layer) + "." + name + (isMatrix ? ".weight" : ""))
            .str();
    all.push_back(std::move(tensor));
  }
  return Error::success();
}

} // namespace

bool hasLayerPickles(StringRef folder) {
  return sys::fs::exists(getPathIn(folder, "layer_0.pkl"));
}

Expected<std::vector<StoredTensor>>
readArrayPickle(const std::shared_ptr<InputFile> &file) {
  auto pickle = Pickle::read(*file, 0, file->getSize(), kNames);
  if (!pickle)
    return pickle.takeError();
  if (pickle->getEnd() != file->getSize())
    return makeInputError(file->getPath(),
                          "has " + Twine(file->getSize() - pickle->getEnd()) +
                              " bytes after the pickle, expected none");
  if (pickle->getRoot().kind != PickleKind::Dict)
    return makeInputError(file->getPath(), "expected a dict of arrays, found " +
                                               describe(pickle->getRoot()));
  std::vector<StoredTensor> tensors;
  if (Error error =
          ArrayReader(file).readDict(pickle->getRoot(), "", 1, tensors))
    return std::move(error);
  return tensors;
}

Expected<std::vector<StoredTensor>> readLayerPickles(StringRef folder,
                                                     LinkPolicy links) {
  if (!sys::fs::exists(getPathIn(folder, "model.pkl")))
    return makeInputError(folder, "holds layers, but no model.pkl with "
                                  "tok_embeddings, norm and, unless it is "
                                  "tied, output");
  std::vector<StoredTensor> all;
  if (Error error = readFile(folder, "model.pkl", links, all))
    return std::move(error);
  for (StoredTensor &tensor : all)
    if (tensor.name == "output.weight" && tensor.shape.size() == 2)
      transpose(tensor);
  auto names = listFolder(folder, "layer_", ".pkl");
  if (!names)
    return names.takeError();
  if (names->size() > kMostLayers)
    return makeInputError(folder, "holds " + Twine(names->size()) +
                                      " files layer_*.pkl, expected at most " +
                                      Twine(kMostLayers));
  for (size_t layer = 0; layer < names->size(); ++layer)
    if (Error error = addLayer(folder, layer, links, all))
      return std::move(error);
  return all;
}

} // namespace llamaweights
