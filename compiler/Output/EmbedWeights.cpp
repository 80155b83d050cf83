//===- EmbedWeights.cpp - The block of weights, streamed ------------------===//

#include "compiler/Output/EmbedWeights.h"

#include "runtime/abi/LlamaABI.h"

#include "llvm/Support/BLAKE3.h"

using namespace mlir;
using namespace mlir::llama;
using llamaweights::Checkpoint;
using llamaweights::OutputFile;
using llamaweights::TensorInfo;

static llvm::Error checkShape(WeightOp weight, const TensorInfo &tensor) {
  ArrayRef<int64_t> shape = weight.getElementTensorType().getShape();
  if (ArrayRef<int64_t>(tensor.shape) == shape)
    return llvm::Error::success();
  auto print = [](ArrayRef<int64_t> shape) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::interleave(shape, stream, " x ");
    return text;
  };
  return llvm::createStringError(
      "%s: tensor '%s' is %s, but the model was compiled for %s",
      tensor.file.c_str(), tensor.sourceName.c_str(),
      print(tensor.shape).c_str(), print(shape).c_str());
}

static llvm::Error embedTensor(WeightOp weight, int64_t layer,
                               const Checkpoint &checkpoint, OutputFile &file,
                               uint64_t begin, NonFiniteWeights policy,
                               function_ref<void(uint64_t)> written,
                               std::vector<char> &hashes) {
  std::string name = weight.getTensorName(layer);
  const TensorInfo *tensor = checkpoint.find(name);
  if (!tensor)
    return llvm::createStringError("tensor '%s' is missing", name.c_str());
  if (llvm::Error error = checkShape(weight, *tensor))
    return error;
  uint64_t at = begin + *weight.getOffset() + layer * weight.getTensorBytes();
  llvm::BLAKE3 hasher;
  StoredRows stored(weight, *tensor, checkpoint, policy);
  int64_t rows = tensor->getRows(), atOnce = stored.getRowsAtOnce();
  for (int64_t row = 0; row < rows; row += atOnce) {
    llvm::Expected<ArrayRef<uint8_t>> bytes =
        stored.pack(row, std::min(atOnce, rows - row));
    if (!bytes)
      return bytes.takeError();
    hasher.update(*bytes);
    if (llvm::Error error = file.write(
            at, {reinterpret_cast<const char *>(bytes->data()), bytes->size()}))
      return error;
    at += bytes->size();
    written(bytes->size());
  }
  auto hash = hasher.final<LLAMA_HASH_BYTES>();
  hashes.insert(hashes.end(), hash.begin(), hash.end());
  return llvm::Error::success();
}

llvm::Expected<std::vector<char>>
llama::embedWeights(ArrayRef<WeightOp> weights, const Checkpoint &checkpoint,
                    OutputFile &file, uint64_t begin, NonFiniteWeights policy,
                    Progress progress) {
  uint64_t total = 0, done = 0;
  for (WeightOp weight : weights)
    total += weight.getLayerCount() * weight.getTensorBytes();
  std::vector<char> hashes;
  for (WeightOp weight : weights)
    for (int64_t layer = 0; layer < weight.getLayerCount(); ++layer)
      if (llvm::Error error = embedTensor(
              weight, layer, checkpoint, file, begin, policy,
              [&](uint64_t bytes) {
                done += bytes;
                progress(done, total);
              },
              hashes))
        return std::move(error);
  return hashes;
}
