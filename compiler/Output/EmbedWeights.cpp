//===- EmbedWeights.cpp - The block of weights, streamed ------------------===//

#include "compiler/Output/EmbedWeights.h"

#include "runtime/abi/LlamaABI.h"
#include "weights/Quantization/PackWeights.h"
#include "weights/Quantization/Quantize.h"

#include "mlir/IR/BuiltinTypes.h"

#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/Parallel.h"

using namespace mlir;
using namespace mlir::llama;
using llamaabi::PanelLayout;
using llamaweights::Checkpoint;
using llamaweights::DType;
using llamaweights::OutputFile;
using llamaweights::TensorInfo;

// Of rows in flight: large enough for a disk, small next to the limit on memory.
static constexpr int64_t kBytesAtOnce = 8 << 20;

static llvm::Expected<DType> getDType(Type type) {
  if (type.isF32())
    return DType::F32;
  if (type.isF16())
    return DType::F16;
  if (type.isBF16())
    return DType::BF16;
  return llvm::createStringError("weights cannot be stored in this type");
}

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

/// The numbers that become integers.
static llvm::Error readNumbers(WeightOp weight, const TensorInfo &tensor,
                               const Checkpoint &checkpoint, int64_t row,
                               int64_t count, MutableArrayRef<float> out) {
  if (!weight.getRotated())
    return checkpoint.readRowsAs(
        tensor, DType::F32, row, count,
        {reinterpret_cast<char *>(out.data()), out.size() * sizeof(float)});
  const llamaweights::QuantizedMatrix *matrix = checkpoint.getQuantized(tensor);
  if (matrix && matrix->isHadamardRotated)
    return matrix->readUntransformed(row, count, out);
  return llvm::createStringError(
      "%s: tensor '%s' is an ordinary matrix, but the model was compiled for "
      "one whose input is Hadamard-transformed",
      tensor.file.c_str(), tensor.sourceName.c_str());
}

namespace {

/// Turns rows of a tensor into what is stored.
class StoredRows {
public:
  StoredRows(WeightOp weight, const TensorInfo &tensor,
             const Checkpoint &checkpoint)
      : weight(weight), tensor(tensor), checkpoint(checkpoint),
        layout{
            getElementFormat(weight.getElementTensorType().getElementType())},
        columns(tensor.getColumns()) {}

  /// How many rows are read at once; whole panels.
  int64_t getRowsAtOnce() const {
    int64_t rows =
        std::max<int64_t>(1, kBytesAtOnce / (4 * tensor.getColumns()));
    return llvm::alignTo(rows, PanelLayout::kPanelRows);
  }

  /// The bytes of rows [row, row + count), until the next call. `row` begins a
  /// panel, and `count` is whole panels or the rest.
  llvm::Expected<ArrayRef<uint8_t>> pack(int64_t row, int64_t count);

private:
  llvm::Error packIntegers(int64_t row, int64_t count);
  llvm::Error packFloats(int64_t row, int64_t count);
  llvm::Error readRows(int64_t row, int64_t count);
  /// Whether the tensor's blocks hold what the format wants.
  bool isKept() const {
    auto bits = llamaweights::getMinimumBits(tensor.dtype);
    return bits != 0 && bits <= layout.format.bits &&
           layout.format.hasMinimum && layout.format.group == 32;
  }
  /// Rows `first` to `first + count` of those that have been read, from blocks
  /// or from numbers.
  void quantize(int64_t first, int64_t count, llamaweights::PackedRows &into);
  /// Bytes of panel number i of those that are packed at once.
  MutableArrayRef<uint8_t> getPanel(size_t i) {
    size_t bytes = layout.getPanelBytes(columns);
    return MutableArrayRef(packed).slice(i * bytes, bytes);
  }

  WeightOp weight;
  const TensorInfo &tensor;
  const Checkpoint &checkpoint;
  PanelLayout layout;
  int64_t columns;
  std::vector<float> numbers; ///< those of integers that are made here
  std::vector<char> rows;     ///< blocks, or elements in the weight's type
  std::vector<uint8_t> packed;
};

} // namespace

void StoredRows::quantize(int64_t first, int64_t count,
                          llamaweights::PackedRows &into) {
  for (int64_t i = 0; i < count; ++i) {
    if (!isKept()) {
      packRow(layout.format,
              ArrayRef(numbers).slice((first + i) * columns, columns),
              into.getRow(i));
      continue;
    }
    std::vector<uint8_t> row(columns);
    std::vector<uint16_t> scales(columns / 32), minimums(columns / 32);
    llamaweights::readCodes(
        tensor.dtype, rows.data() + (first + i) * tensor.getRowBytes(),
        row.data(), scales.data(), minimums.data(), columns);
    packCodes(layout.format, row, scales, minimums, into.getRow(i));
  }
}

llvm::Error StoredRows::packIntegers(int64_t row, int64_t count) {
  if (isKept()) {
    rows.resize(count * tensor.getRowBytes());
    if (llvm::Error error = checkpoint.readRows(tensor, row, count, rows))
      return error;
  } else {
    numbers.resize(count * columns);
    if (llvm::Error error =
            readNumbers(weight, tensor, checkpoint, row, count, numbers))
      return error;
  }
  int64_t panels = PanelLayout::getPanels(count);
  packed.resize(panels * layout.getPanelBytes(columns));
  llvm::parallelFor(0, panels, [&](size_t i) {
    int64_t first = static_cast<int64_t>(i) * PanelLayout::kPanelRows;
    int64_t here = std::min(PanelLayout::kPanelRows, count - first);
    llamaweights::PackedRows some(layout, columns);
    quantize(first, here, some);
    packPanel(layout, columns, some, here, getPanel(i));
  });
  return llvm::Error::success();
}

llvm::Error StoredRows::readRows(int64_t row, int64_t count) {
  RankedTensorType type = weight.getElementTensorType();
  llvm::Expected<DType> wanted = getDType(type.getElementType());
  if (!wanted)
    return wanted.takeError();
  rows.resize(count * columns * layout.format.bits / 8);
  return checkpoint.readRowsAs(tensor, *wanted, row, count, rows);
}

llvm::Error StoredRows::packFloats(int64_t row, int64_t count) {
  if (llvm::Error error = readRows(row, count))
    return error;
  int64_t panels = PanelLayout::getPanels(count);
  size_t rowBytes = rows.size() / count;
  packed.resize(panels * layout.getPanelBytes(columns));
  llvm::parallelFor(0, panels, [&](size_t i) {
    size_t first = i * PanelLayout::kPanelRows * rowBytes;
    size_t here =
        std::min(PanelLayout::kPanelRows * rowBytes, rows.size() - first);
    llamaweights::packPanel(layout, columns, ArrayRef(rows).slice(first, here),
                            getPanel(i));
  });
  return llvm::Error::success();
}

llvm::Expected<ArrayRef<uint8_t>> StoredRows::pack(int64_t row, int64_t count) {
  if (!weight.isInPanels()) {
    if (llvm::Error error = readRows(row, count))
      return std::move(error);
    return ArrayRef(reinterpret_cast<const uint8_t *>(rows.data()),
                    rows.size());
  }
  if (llvm::Error error = layout.format.isInteger() ? packIntegers(row, count)
                                                    : packFloats(row, count))
    return std::move(error);
  return ArrayRef(packed);
}

static llvm::Error embedTensor(WeightOp weight, int64_t layer,
                               const Checkpoint &checkpoint, OutputFile &file,
                               uint64_t begin,
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
  StoredRows stored(weight, *tensor, checkpoint);
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
                    OutputFile &file, uint64_t begin, Progress progress) {
  uint64_t total = 0, done = 0;
  for (WeightOp weight : weights)
    total += weight.getLayerCount() * weight.getTensorBytes();
  std::vector<char> hashes;
  for (WeightOp weight : weights)
    for (int64_t layer = 0; layer < weight.getLayerCount(); ++layer)
      if (llvm::Error error = embedTensor(
              weight, layer, checkpoint, file, begin,
              [&](uint64_t bytes) {
                done += bytes;
                progress(done, total);
              },
              hashes))
        return std::move(error);
  return hashes;
}
