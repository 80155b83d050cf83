//===- EmbedWeights.cpp - The block of weights, streamed ------------------===//

#include "compiler/Target/EmbedWeights.h"

#include "mlir/IR/BuiltinTypes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

using namespace mlir;
using namespace mlir::llama;
using llamaweights::Checkpoint;
using llamaweights::DType;
using llamaweights::TensorInfo;

// Rows in flight: large enough for a disk, small beside the limit on memory.
static constexpr int64_t kPanelBytes = 8 << 20;

static llvm::Expected<DType> getDType(Type type) {
  if (type.isF32())
    return DType::F32;
  if (type.isF16())
    return DType::F16;
  if (type.isBF16())
    return DType::BF16;
  return llvm::createStringError("weights cannot be stored in this type");
}

static llvm::Error checkShape(const PlacedWeight &weight,
                              const TensorInfo &tensor) {
  if (ArrayRef<int64_t>(tensor.shape) == ArrayRef<int64_t>(weight.shape))
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
      print(tensor.shape).c_str(), print(weight.shape).c_str());
}

static llvm::Error embedTensor(const PlacedWeight &weight, int64_t layer,
                               const Checkpoint &checkpoint,
                               SmallVectorImpl<char> &panel, OutputFile &file,
                               uint64_t begin,
                               function_ref<void(uint64_t)> written,
                               std::string &hash) {
  std::string name = weight.getTensorName(layer);
  const TensorInfo *tensor = checkpoint.find(name);
  if (!tensor)
    return llvm::createStringError("tensor '%s' is missing", name.c_str());
  if (llvm::Error error = checkShape(weight, *tensor))
    return error;
  llvm::Expected<DType> type = getDType(weight.element);
  if (!type)
    return type.takeError();
  int64_t rowBytes = weight.getTensorBytes() / tensor->getRows();
  int64_t panelRows = std::max<int64_t>(1, kPanelBytes / rowBytes);
  uint64_t at = begin + weight.offset + layer * weight.getTensorBytes();
  llvm::BLAKE3 hasher;
  for (int64_t row = 0; row < tensor->getRows(); row += panelRows) {
    int64_t count = std::min(panelRows, tensor->getRows() - row);
    panel.resize_for_overwrite(count * rowBytes);
    if (llvm::Error error =
            checkpoint.readRowsAs(*tensor, *type, row, count, panel))
      return error;
    hasher.update(StringRef(panel.data(), panel.size()));
    if (llvm::Error error = file.write(at, panel))
      return error;
    at += panel.size();
    written(panel.size());
  }
  hash = llvm::toHex(hasher.final(), /*LowerCase=*/true);
  return llvm::Error::success();
}

llvm::Expected<std::vector<std::string>>
llama::embedWeights(ArrayRef<PlacedWeight> weights,
                    const Checkpoint &checkpoint, OutputFile &file,
                    uint64_t begin, Progress progress) {
  uint64_t total = 0, done = 0;
  for (const PlacedWeight &weight : weights)
    total += weight.layers * weight.getTensorBytes();
  SmallVector<char, 0> panel;
  std::vector<std::string> hashes;
  for (const PlacedWeight &weight : weights)
    for (int64_t layer = 0; layer < weight.layers; ++layer)
      if (llvm::Error error = embedTensor(
              weight, layer, checkpoint, panel, file, begin,
              [&](uint64_t bytes) {
                done += bytes;
                progress(done, total);
              },
              hashes.emplace_back()))
        return std::move(error);
  return hashes;
}
