//===- StoredRows.cpp - Rows of a checkpoint as a model stores them -------===//

#include "compiler/Output/StoredRows.h"

#include "weights/FiniteNumbers.h"
#include "weights/Quantization/PackWeights.h"
#include "weights/Quantization/Quantize.h"

#include "mlir/IR/BuiltinTypes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Parallel.h"

#include <cmath>

using namespace mlir;
using namespace mlir::llama;
using llamaabi::PanelLayout;
using llamaweights::Checkpoint;
using llamaweights::DType;
using llamaweights::PackedRows;
using llamaweights::TensorInfo;

// Of rows in flight, counted as f32: large enough for a disk and for many
// cores, small next to the limit on memory.
static constexpr int64_t kBytesAtOnce = 32 << 20;

// Rows that a core reads and packs at once: whole heads, which are what some
// formats read at once, and a few hundred KiB.
static constexpr int64_t kRowsOfTask = 8 * PanelLayout::kPanelRows;

static llvm::Expected<DType> getDType(Type type) {
  if (type.isF32())
    return DType::F32;
  if (type.isF16())
    return DType::F16;
  if (type.isBF16())
    return DType::BF16;
  return llvm::createStringError("weights cannot be stored in this type");
}

StoredRows::StoredRows(WeightOp weight, const TensorInfo &tensor,
                       const Checkpoint &checkpoint, NonFiniteWeights policy)
    : tensor(tensor), checkpoint(checkpoint), policy(policy),
      element(weight.getElementTensorType().getElementType()),
      isRotated(weight.getRotated()), isInPanels(weight.isInPanels()),
      layout{getElementFormat(element)}, columns(tensor.getColumns()) {}

int64_t StoredRows::getRowsAtOnce() const {
  int64_t count = std::max<int64_t>(1, kBytesAtOnce / (4 * columns));
  return llvm::alignTo(count, kRowsOfTask);
}

bool StoredRows::isKept() const {
  auto bits = llamaweights::getMinimumBits(tensor.dtype);
  return bits != 0 && bits <= layout.format.bits && layout.format.hasMinimum &&
         layout.format.group == 32;
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Whether a number is finite as it is stored: one of f32 may be too large for
/// f16 or bf16.
bool StoredRows::isStoredFinite(int64_t row, int64_t column) const {
  std::vector<float> numbers(columns);
  MutableArrayRef<char> bytes(reinterpret_cast<char *>(numbers.data()),
                              numbers.size() * sizeof(float));
  if (llvm::Error error =
          checkpoint.readRowsAs(tensor, DType::F32, row, 1, bytes)) {
    llvm::consumeError(std::move(error));
    return false;
  }
  return std::isfinite(numbers[column]);
}

/// `numbers` are those of rows from `row` on.
llvm::Error StoredRows::checkNumbers(DType type, int64_t row,
                                     ArrayRef<char> numbers) const {
  if (policy == NonFiniteWeights::Allowed)
    return llvm::Error::success();
  auto count =
      static_cast<int64_t>(numbers.size()) / llamaweights::getBlockBytes(type);
  auto found = llamaweights::findNonFinite(type, numbers.data(), count);
  if (!found)
    return llvm::Error::success();
  row += found->index / columns;
  int64_t column = found->index % columns;
  std::string value = found->text;
  if (isStoredFinite(row, column))
    value += " in " + llamaweights::getName(type).str();
  return llvm::createStringError(
      llvm::formatv("{0}: tensor '{1}': row {2}, column {3} is {4}, expected a "
                    "finite number; --allow-nonfinite goes on",
                    tensor.file, tensor.sourceName, row, column, value));
}

/// Finite numbers may be too large for scales of f16.
llvm::Error StoredRows::checkScales(int64_t row, const PackedRows &rows) const {
  if (policy == NonFiniteWeights::Allowed)
    return llvm::Error::success();
  int64_t groups = layout.getGroups(columns);
  for (const std::vector<uint16_t> *list : {&rows.scales, &rows.minimums}) {
    auto found = llamaweights::findNonFinite(
        DType::F16, reinterpret_cast<const char *>(list->data()),
        static_cast<int64_t>(list->size()));
    if (found)
      return llvm::createStringError(llvm::formatv(
          "{0}: tensor '{1}': row {2}, column {3}: the scale of its group is "
          "{4}, expected a finite number of f16; --allow-nonfinite goes on",
          tensor.file, tensor.sourceName, row + found->index / groups,
          found->index % groups * layout.format.group, found->text));
  }
  return llvm::Error::success();
}

/// The numbers that become integers.
llvm::Error StoredRows::readNumbers(int64_t row, int64_t count,
                                    MutableArrayRef<float> out) const {
  if (!isRotated)
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

/// Elements in the weight's type.
llvm::Error StoredRows::readFloats(int64_t row, int64_t count,
                                   std::vector<char> &rows) const {
  llvm::Expected<DType> wanted = getDType(element);
  if (!wanted)
    return wanted.takeError();
  rows.resize(count * columns * layout.format.bits / 8);
  if (llvm::Error error =
          checkpoint.readRowsAs(tensor, *wanted, row, count, rows))
    return error;
  return checkNumbers(*wanted, row, rows);
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

/// Calls `pack` for each panel of `count` rows: its first row, its rows, its
/// bytes.
static llvm::Error forEachPanel(
    int64_t count, MutableArrayRef<uint8_t> out,
    function_ref<llvm::Error(int64_t, int64_t, MutableArrayRef<uint8_t>)>
        pack) {
  size_t bytes = out.size() / PanelLayout::getPanels(count);
  for (int64_t first = 0; first < count; first += PanelLayout::kPanelRows) {
    if (llvm::Error error =
            pack(first, std::min(PanelLayout::kPanelRows, count - first),
                 out.take_front(bytes)))
      return error;
    out = out.drop_front(bytes);
  }
  return llvm::Error::success();
}

/// Numbers become integers.
llvm::Error StoredRows::packNumbers(int64_t row, int64_t count,
                                    MutableArrayRef<uint8_t> out) const {
  std::vector<float> numbers(count * columns);
  if (llvm::Error error = readNumbers(row, count, numbers))
    return error;
  ArrayRef<char> bytes(reinterpret_cast<const char *>(numbers.data()),
                       numbers.size() * sizeof(float));
  if (llvm::Error error = checkNumbers(DType::F32, row, bytes))
    return error;
  PackedRows some(layout, columns);
  return forEachPanel(
      count, out,
      [&](int64_t first, int64_t here, MutableArrayRef<uint8_t> panel) {
        for (int64_t i = 0; i < here; ++i)
          packRow(layout.format,
                  ArrayRef(numbers).slice((first + i) * columns, columns),
                  some.getRow(i));
        packPanel(layout, columns, some, here, panel);
        return checkScales(row + first, some);
      });
}

/// Blocks that hold integers already.
llvm::Error StoredRows::packKept(int64_t row, int64_t count,
                                 MutableArrayRef<uint8_t> out) const {
  std::vector<char> blocks(count * tensor.getRowBytes());
  if (llvm::Error error = checkpoint.readRows(tensor, row, count, blocks))
    return error;
  std::vector<uint8_t> codes(columns);
  std::vector<uint16_t> scales(columns / 32), minimums(columns / 32);
  PackedRows some(layout, columns);
  return forEachPanel(
      count, out,
      [&](int64_t first, int64_t here, MutableArrayRef<uint8_t> panel) {
        for (int64_t i = 0; i < here; ++i) {
          llamaweights::readCodes(
              tensor.dtype, blocks.data() + (first + i) * tensor.getRowBytes(),
              codes.data(), scales.data(), minimums.data(), columns);
          packCodes(layout.format, codes, scales, minimums, some.getRow(i));
        }
        packPanel(layout, columns, some, here, panel);
        return checkScales(row + first, some);
      });
}

llvm::Error StoredRows::packFloats(int64_t row, int64_t count,
                                   MutableArrayRef<uint8_t> out) const {
  std::vector<char> numbers;
  if (llvm::Error error = readFloats(row, count, numbers))
    return error;
  size_t rowBytes = numbers.size() / count;
  return forEachPanel(
      count, out,
      [&](int64_t first, int64_t here, MutableArrayRef<uint8_t> panel) {
        llamaweights::packPanel(
            layout, columns,
            ArrayRef(numbers).slice(first * rowBytes, here * rowBytes), panel);
        return llvm::Error::success();
      });
}

llvm::Error StoredRows::packPanels(int64_t row, int64_t count,
                                   MutableArrayRef<uint8_t> out) const {
  if (!layout.format.isInteger())
    return packFloats(row, count, out);
  return isKept() ? packKept(row, count, out) : packNumbers(row, count, out);
}

llvm::Expected<ArrayRef<uint8_t>> StoredRows::pack(int64_t row, int64_t count) {
  if (!isInPanels) {
    if (llvm::Error error = readFloats(row, count, rows))
      return std::move(error);
    return ArrayRef(reinterpret_cast<const uint8_t *>(rows.data()),
                    rows.size());
  }
  int64_t panelBytes = layout.getPanelBytes(columns);
  packed.resize(PanelLayout::getPanels(count) * panelBytes);
  int64_t tasks = llvm::divideCeil(count, kRowsOfTask);
  std::vector<std::string> complaints(tasks);
  llvm::parallelFor(0, tasks, [&](size_t task) {
    int64_t first = static_cast<int64_t>(task) * kRowsOfTask;
    int64_t here = std::min(kRowsOfTask, count - first);
    auto out = MutableArrayRef(packed).slice(
        first / PanelLayout::kPanelRows * panelBytes,
        PanelLayout::getPanels(here) * panelBytes);
    if (llvm::Error error = packPanels(row + first, here, out))
      complaints[task] = llvm::toString(std::move(error));
  });
  for (const std::string &complaint : complaints)
    if (!complaint.empty())
      return llvm::createStringError(complaint);
  return ArrayRef(packed);
}
