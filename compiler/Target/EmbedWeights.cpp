//===- EmbedWeights.cpp - The block of weights, streamed ------------------===//

#include "compiler/Target/EmbedWeights.h"

#include "compiler/Target/PackWeights.h"
#include "runtime/abi/QuantizedLayout.h"
#include "weights/Quantization/Quantize.h"

#include "mlir/IR/BuiltinTypes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/Parallel.h"

using namespace mlir;
using namespace mlir::llama;
using llamaweights::Checkpoint;
using llamaweights::DType;
using llamaweights::OutputFile;
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

template <typename T>
static StringRef asBytes(ArrayRef<T> list) {
  return {reinterpret_cast<const char *>(list.data()), list.size() * sizeof(T)};
}

/// The numbers that become integers.
static llvm::Error readNumbers(const PlacedWeight &weight,
                               const TensorInfo &tensor,
                               const Checkpoint &checkpoint, int64_t row,
                               int64_t count, MutableArrayRef<float> out) {
  if (!weight.isRotated)
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

/// Packs a quantized tensor: integers some panels at a time, scales and
/// minimums of all rows kept until the end.
class QuantizedPanels {
public:
  static constexpr int64_t kRows = QuantizedType::getPanelRows();

  QuantizedPanels(QuantizedType type, const PlacedWeight &weight,
                  const TensorInfo &tensor, const Checkpoint &checkpoint)
      : type(type), weight(weight), tensor(tensor), checkpoint(checkpoint),
        columns(tensor.getColumns()), padded(type.getPaddedColumns(columns)),
        rowScales(type.getRowScales(columns)),
        scales(tensor.getRows() * rowScales),
        minimums(type.hasMinimum() ? scales.size() : 0) {}

  /// The panels of rows [row, row + count), until the next call. `row` begins a
  /// panel, and `count` is whole panels or the rest.
  llvm::Expected<ArrayRef<uint8_t>> pack(int64_t row, int64_t count) {
    codes.resize(count * padded);
    llvm::Error error =
        isKept() ? packBlocks(row, count) : packNumbers(row, count);
    if (error)
      return std::move(error);
    int64_t panelBytes = kRows * type.getRowBytes(columns);
    panels.resize(llvm::divideCeil(count, kRows) * panelBytes);
    llvm::parallelFor(0, panels.size() / panelBytes, [&](size_t i) {
      size_t begin = i * kRows * padded;
      packPanel(type, columns,
                ArrayRef(codes).slice(begin).take_front(kRows * padded),
                MutableArrayRef(panels).slice(i * panelBytes, panelBytes));
    });
    return ArrayRef(panels);
  }
  std::vector<uint16_t> getScales() const { return layOut(scales); }
  std::vector<uint16_t> getMinimums() const { return layOut(minimums); }

private:
  /// Whether the tensor's blocks hold what the type wants.
  bool isKept() const {
    auto bits = unsigned(llamaweights::getMinimumBits(tensor.dtype));
    return bits != 0 && bits <= type.getBits() && type.hasMinimum() &&
           type.getGroup() == 32;
  }
  /// Where row `first` + i is packed, the panel beginning with row `first`.
  PackedRow getPlace(int64_t first, int64_t i) {
    auto groups = [&](std::vector<uint16_t> &list) {
      return list.empty() ? MutableArrayRef<uint16_t>()
                          : MutableArrayRef(list).slice((first + i) * rowScales,
                                                        rowScales);
    };
    return {MutableArrayRef(codes).slice(i * padded, padded), groups(scales),
            groups(minimums)};
  }
  /// A factor of every group, row by row, as panels have them.
  std::vector<uint16_t> layOut(const std::vector<uint16_t> &list) const {
    int64_t rows = static_cast<int64_t>(list.size()) / rowScales;
    std::vector<uint16_t> result(llvm::alignTo(rows, kRows) * rowScales);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t number = 0; number < rowScales; ++number)
        result[row / kRows * kRows * rowScales +
               llamaabi::QuantizedLayout::locateScale(row % kRows, number)] =
            list[row * rowScales + number];
    return result;
  }
  llvm::Error packBlocks(int64_t first, int64_t count);
  llvm::Error packNumbers(int64_t first, int64_t count);

  QuantizedType type;
  const PlacedWeight &weight;
  const TensorInfo &tensor;
  const Checkpoint &checkpoint;
  int64_t columns, padded, rowScales;
  std::vector<uint8_t> codes, panels;
  std::vector<uint16_t> scales, minimums;
  std::vector<float> numbers;
  std::vector<char> blocks;
};

} // namespace

llvm::Error QuantizedPanels::packBlocks(int64_t first, int64_t count) {
  int64_t bytes = tensor.getRowBytes();
  blocks.resize(count * bytes);
  if (llvm::Error error = checkpoint.readRows(tensor, first, count, blocks))
    return error;
  llvm::parallelFor(0, count, [&](size_t i) {
    std::vector<uint8_t> row(columns);
    std::vector<uint16_t> rowScales(columns / 32), rowMinimums(columns / 32);
    llamaweights::readCodes(tensor.dtype, blocks.data() + i * bytes, row.data(),
                            rowScales.data(), rowMinimums.data(), columns);
    packCodes(type, row, rowScales, rowMinimums, getPlace(first, i));
  });
  return llvm::Error::success();
}

llvm::Error QuantizedPanels::packNumbers(int64_t first, int64_t count) {
  numbers.resize(count * columns);
  if (llvm::Error error =
          readNumbers(weight, tensor, checkpoint, first, count, numbers))
    return error;
  llvm::parallelFor(0, count, [&](size_t i) {
    packRow(type, ArrayRef(numbers).slice(i * columns, columns),
            getPlace(first, i));
  });
  return llvm::Error::success();
}

/// Integers some panels at a time, then all scales, then all minimums.
static llvm::Error
embedQuantized(QuantizedType type, const PlacedWeight &weight,
               const TensorInfo &tensor, const Checkpoint &checkpoint,
               OutputFile &file, uint64_t at,
               function_ref<void(uint64_t)> written, llvm::BLAKE3 &hasher) {
  int64_t rows = tensor.getRows();
  int64_t atOnce = llvm::alignTo(
      std::max<int64_t>(1, kPanelBytes / (4 * tensor.getColumns())),
      QuantizedPanels::kRows);
  QuantizedPanels panels(type, weight, tensor, checkpoint);
  auto write = [&](StringRef bytes) -> llvm::Error {
    hasher.update(bytes);
    if (llvm::Error error = file.write(at, {bytes.data(), bytes.size()}))
      return error;
    at += bytes.size();
    written(bytes.size());
    return llvm::Error::success();
  };
  for (int64_t row = 0; row < rows; row += atOnce) {
    llvm::Expected<ArrayRef<uint8_t>> integers =
        panels.pack(row, std::min(atOnce, rows - row));
    if (!integers)
      return integers.takeError();
    if (llvm::Error error = write(asBytes(*integers)))
      return error;
  }
  for (const std::vector<uint16_t> &list :
       {panels.getScales(), panels.getMinimums()})
    if (llvm::Error error = write(asBytes(ArrayRef(list))))
      return error;
  return llvm::Error::success();
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
  uint64_t at = begin + weight.offset + layer * weight.getTensorBytes();
  llvm::BLAKE3 hasher;
  if (auto quantized = dyn_cast<QuantizedType>(weight.element)) {
    if (llvm::Error error = embedQuantized(
            quantized, weight, *tensor, checkpoint, file, at, written, hasher))
      return error;
    hash = llvm::toHex(hasher.final(), /*LowerCase=*/true);
    return llvm::Error::success();
  }
  llvm::Expected<DType> type = getDType(weight.element);
  if (!type)
    return type.takeError();
  int64_t rowBytes = weight.getTensorBytes() / tensor->getRows();
  int64_t panelRows = std::max<int64_t>(1, kPanelBytes / rowBytes);
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
