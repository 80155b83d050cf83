//===- TorchStateDict.cpp - The dict inside of what torch.save writes -----===//
//
// The calls in the dict say which bytes of a storage a tensor consists of;
// views, strides and sizes are compared with what the storage has.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/TorchStateDict.h"

#include "weights/InputError.h"
#include "weights/TensorNames.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr StringRef kNames[] = {
    "collections.OrderedDict",
    "torch.BFloat16Storage",
    "torch.BoolStorage",
    "torch.ByteStorage",
    "torch.CharStorage",
    "torch.DoubleStorage",
    "torch.FloatStorage",
    "torch.HalfStorage",
    "torch.IntStorage",
    "torch.LongStorage",
    "torch.ShortStorage",
    "torch.Size",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
};

constexpr size_t kMostDimensions = 2;

std::optional<DType> getElementType(StringRef storageClass) {
  return StringSwitch<std::optional<DType>>(storageClass)
      .Case("torch.FloatStorage", DType::F32)
      .Case("torch.HalfStorage", DType::F16)
      .Case("torch.BFloat16Storage", DType::BF16)
      .Case("torch.CharStorage", DType::I8)
      .Default(std::nullopt);
}

/// Turns the calls of a pickled dict into tensors.
class DictReader {
public:
  DictReader(const std::shared_ptr<InputFile> &file,
             const StringMap<TorchStorage> &storages)
      : file(file), storages(storages) {}

  Expected<std::vector<StoredTensor>> read(const PickleValue &root);

private:
  Error readTensor(const PickleValue &value, StoredTensor &tensor);
  Error readStorage(const PickleValue &handle, StoredTensor &tensor,
                    TorchStorage &storage);
  Error readNumbers(const PickleValue &value, StringRef what,
                    std::vector<int64_t> &out);
  Error place(const TorchStorage &storage, int64_t first,
              ArrayRef<int64_t> strides, StoredTensor &tensor);

  Error fail(const Twine &message) {
    return makeInputError(file->getPath(),
                          "tensor " + quote(name) + ": " + message);
  }

  const std::shared_ptr<InputFile> &file;
  const StringMap<TorchStorage> &storages;
  std::string name; ///< of the tensor that is being read
};

Error DictReader::readNumbers(const PickleValue &value, StringRef what,
                              std::vector<int64_t> &out) {
  const PickleValue *list = &value;
  if (value.isCall("torch.Size") && value.items.size() == 1)
    list = value.items[0];
  if (list->kind != PickleKind::Tuple && list->kind != PickleKind::List)
    return fail("expected a tuple of " + what + ", found " + describe(*list));
  if (list->items.size() > kMostDimensions)
    return fail("has " + Twine(list->items.size()) +
                " dimensions, expected at most " + Twine(kMostDimensions));
  for (const PickleValue *item : list->items) {
    if (item->kind != PickleKind::Integer || item->integer < 0)
      return fail("expected a tuple of " + what + ", found one with " +
                  describe(*item));
    out.push_back(item->integer);
  }
  return Error::success();
}

/// ('storage', class, key, device, elements[, view])
Error DictReader::readStorage(const PickleValue &handle, StoredTensor &tensor,
                              TorchStorage &storage) {
  if (handle.kind != PickleKind::Handle)
    return fail("expected a storage, found " + describe(handle));
  const PickleValue &id = *handle.items[0];
  if (id.kind != PickleKind::Tuple || id.items.size() < 5 ||
      id.items.size() > 6 || id.items[0]->kind != PickleKind::String ||
      id.items[0]->text != "storage" ||
      id.items[1]->kind != PickleKind::Global ||
      id.items[2]->kind != PickleKind::String ||
      id.items[4]->kind != PickleKind::Integer)
    return fail("its storage is not described as torch does");
  if (id.items.size() == 6 && id.items[5]->kind != PickleKind::None)
    return fail("its storage is a view of another one, which is not supported");
  std::optional<DType> type = getElementType(id.items[1]->text);
  if (!type)
    return fail("expected elements f32, f16, bf16 or int8, found " +
                quote(id.items[1]->text));
  tensor.dtype = *type;
  StringRef key = id.items[2]->text;
  auto found = storages.find(key);
  if (found == storages.end())
    return fail("storage " + quote(key) + " is missing");
  storage = found->second;
  int64_t elements = id.items[4]->integer;
  uint64_t elementBytes = uint64_t(getBlockBytes(*type));
  if (elements < 0 || uint64_t(elements) > storage.bytes / elementBytes)
    return fail("storage " + quote(key) + " should have " + Twine(elements) +
                " elements of " + getName(*type) + ", but has " +
                Twine(storage.bytes) + " bytes");
  storage.bytes = uint64_t(elements) * elementBytes;
  return Error::success();
}

/// Compares the last element with the storage, and says where the tensor is:
/// one run of bytes, or a piece with strides.
Error DictReader::place(const TorchStorage &storage, int64_t first,
                        ArrayRef<int64_t> strides, StoredTensor &tensor) {
  int64_t elementBytes = getBlockBytes(tensor.dtype);
  std::optional<int64_t> bytes = getStoredBytes(tensor.dtype, tensor.shape);
  if (!bytes)
    return fail("shape " + formatShape(tensor.shape) +
                " does not fit in 63 bits of bytes");
  if (*bytes > int64_t(storage.bytes))
    return fail("shape " + formatShape(tensor.shape) + " of " +
                getName(tensor.dtype) + " has " + Twine(*bytes) +
                " bytes, but its storage " + Twine(storage.bytes));
  int64_t last = first;
  bool isRun = true;
  int64_t runStride = 1;
  for (size_t i = strides.size(); i-- > 0;) {
    int64_t dim = tensor.shape[i], span = 0;
    if (dim > 1 && strides[i] == 0)
      return fail("has a stride of 0: the same numbers again and again");
    isRun &= dim <= 1 || strides[i] == runStride;
    runStride *= dim;
    if (dim > 1 && (MulOverflow(dim - 1, strides[i], span) ||
                    AddOverflow(last, span, last)))
      return fail("strides " + formatShape(strides) + " overflow");
  }
  if (*bytes == 0)
    return Error::success();
  if (last >= int64_t(storage.bytes) / elementBytes)
    return fail("its last element is number " + Twine(last) +
                " of the storage, which has " +
                Twine(int64_t(storage.bytes) / elementBytes));
  tensor.offset = storage.offset + uint64_t(first * elementBytes);
  if (isRun)
    return Error::success();
  StoredPiece piece = getPieces(tensor)[0];
  piece.columnStride = strides.back() * elementBytes;
  piece.rowStride = strides.size() == 2 ? strides[0] * elementBytes : 0;
  tensor.pieces.push_back(std::move(piece));
  return Error::success();
}

Error DictReader::readTensor(const PickleValue &value, StoredTensor &tensor) {
  const PickleValue *rebuilt = &value;
  if (value.isCall("torch._utils._rebuild_parameter") && !value.items.empty())
    rebuilt = value.items[0];
  bool isTensor = rebuilt->isCall("torch._utils._rebuild_tensor_v2") ||
                  rebuilt->isCall("torch._utils._rebuild_tensor");
  if (!isTensor || rebuilt->items.size() < 4)
    return fail("expected a tensor, found " + describe(*rebuilt));
  TorchStorage storage;
  std::vector<int64_t> strides;
  if (Error error = readStorage(*rebuilt->items[0], tensor, storage))
    return error;
  if (Error error = readNumbers(*rebuilt->items[2], "sizes", tensor.shape))
    return error;
  if (Error error = readNumbers(*rebuilt->items[3], "strides", strides))
    return error;
  const PickleValue &first = *rebuilt->items[1];
  if (first.kind != PickleKind::Integer || first.integer < 0)
    return fail("expected the number of its first element, found " +
                describe(first));
  if (strides.size() != tensor.shape.size())
    return fail("has " + Twine(tensor.shape.size()) + " sizes and " +
                Twine(strides.size()) + " strides");
  return place(storage, first.integer, strides, tensor);
}

/// The dict of tensors: the root, or what a training loop wrapped around it.
const PickleValue &unwrap(const PickleValue &root) {
  const PickleValue *dict = &root;
  for (int level = 0; level < 4; ++level) {
    const PickleValue *inner = nullptr;
    for (StringRef key : {"state_dict", "model", "module"})
      if (const PickleValue *found = dict->find(key);
          !inner && found && found->kind == PickleKind::Dict)
        inner = found;
    if (!inner)
      return *dict;
    dict = inner;
  }
  return *dict;
}

Expected<std::vector<StoredTensor>> DictReader::read(const PickleValue &root) {
  const PickleValue &dict = unwrap(root);
  if (dict.kind != PickleKind::Dict)
    return makeInputError(
        file->getPath(), "expected a dict of tensors, found " + describe(dict));
  std::vector<StoredTensor> tensors;
  StringSet<> names;
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    if (dict.items[i]->kind != PickleKind::String)
      return makeInputError(file->getPath(),
                            "expected the name of a tensor, found " +
                                describe(*dict.items[i]));
    name = dropWrappers(dict.items[i]->text).str();
    StoredTensor tensor;
    tensor.name = name;
    tensor.file = file;
    if (!names.insert(name).second)
      return fail("is there twice");
    if (Error error = readTensor(*dict.items[i + 1], tensor))
      return std::move(error);
    tensors.push_back(std::move(tensor));
  }
  if (tensors.empty())
    return makeInputError(file->getPath(), "holds no tensors");
  return tensors;
}

} // namespace

ArrayRef<StringRef> getTorchNames() { return kNames; }

Expected<std::vector<StoredTensor>>
readTorchStateDict(const std::shared_ptr<InputFile> &file,
                   const StringMap<TorchStorage> &storages,
                   const PickleValue &root) {
  return DictReader(file, storages).read(root);
}
} // namespace llamaweights
