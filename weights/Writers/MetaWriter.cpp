//===- MetaWriter.cpp - consolidated.00.pth and params.json ---------------===//
//
// What torch.save writes of an OrderedDict of contiguous tensors, each with a
// storage of its own; with tied embeddings "output.weight" has the storage of
// "tok_embeddings.weight" once more, as a copy.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/ConfigFiles.h"
#include "weights/Writers/PickleWriter.h"
#include "weights/Writers/Writers.h"
#include "weights/Writers/ZipWriter.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr StringLiteral kPrefix = "consolidated.00/";

StringRef getStorageClass(DType type) {
  return type == DType::F32   ? "FloatStorage"
         : type == DType::F16 ? "HalfStorage"
                              : "BFloat16Storage";
}

/// The call that rebuilds a tensor of storage number `key`.
void writeTensor(PickleWriter &pickle, DType type, ArrayRef<int64_t> shape,
                 size_t key) {
  int64_t elements = 1;
  std::vector<int64_t> strides(shape.size());
  for (size_t i = shape.size(); i-- > 0; elements *= shape[i])
    strides[i] = elements;
  pickle.global("torch._utils", "_rebuild_tensor_v2");
  pickle.mark();
  pickle.mark();
  pickle.string("storage");
  pickle.global("torch", getStorageClass(type));
  pickle.string(utostr(key));
  pickle.string("cpu");
  pickle.integer(elements);
  pickle.tuple();
  pickle.persistentId();
  pickle.integer(0);
  pickle.shape(shape);
  pickle.shape(strides);
  pickle.boolean(false);
  pickle.global("collections", "OrderedDict");
  pickle.emptyTuple();
  pickle.call();
  pickle.tuple();
  pickle.call();
}

std::string makePickle(const WritePlan &plan, ArrayRef<std::string> names) {
  PickleWriter pickle(2);
  pickle.global("collections", "OrderedDict");
  pickle.emptyTuple();
  pickle.call();
  pickle.mark();
  for (auto [key, name] : enumerate(names)) {
    const TensorInfo &tensor = plan.get(name);
    pickle.string(name + ".weight");
    writeTensor(pickle, plan.getType(tensor), tensor.shape, key);
  }
  pickle.setItems();
  pickle.stop();
  return pickle.take();
}

Error writeStorages(const WritePlan &plan, ArrayRef<std::string> names,
                    ZipWriter &zip) {
  for (auto [key, name] : enumerate(names)) {
    const TensorInfo &tensor = plan.get(name);
    DType type = plan.getType(tensor);
    if (Error error = zip.begin((kPrefix + "data/" + Twine(key)).str(),
                                uint64_t(getStreamedBytes(tensor, type))))
      return error;
    auto sink = [&](ArrayRef<char> bytes) -> Error {
      if (Error error = zip.append(bytes))
        return error;
      return plan.progress(int64_t(bytes.size()));
    };
    if (Error error = streamRows(plan.getCheckpoint(), tensor, {type, 0}, sink))
      return error;
    if (Error error = zip.end())
      return error;
  }
  return Error::success();
}

} // namespace

Error writeMeta(const WritePlan &plan, OutputFolder &folder) {
  auto file = folder.createFile("consolidated.00.pth");
  if (!file)
    return file.takeError();
  ZipWriter zip(*file);
  auto names = getTensorNames(plan.getConfig(), /*withOutput=*/true);
  if (Error error =
          zip.add((kPrefix + "data.pkl").str(), makePickle(plan, names)))
    return error;
  if (Error error = zip.add((kPrefix + "byteorder").str(), "little"))
    return error;
  if (Error error = writeStorages(plan, names, zip))
    return error;
  if (Error error = zip.add((kPrefix + "version").str(), "3\n"))
    return error;
  if (Error error = zip.finish())
    return error;
  if (Error error = file->keep())
    return error;
  return folder.writeFile("params.json", printMetaParams(plan.getConfig()));
}

} // namespace llamaweights
