//===- Checkpoint.cpp - What every format of checkpoint shares ------------===//
//
// Finding a tensor and converting rows on the way: a few rows at a time go
// through a buffer that stays in the cache.
//
//===----------------------------------------------------------------------===//

#include "weights/Checkpoint.h"

#include "weights/FloatConversion.h"
#include "weights/Quantization/Quantize.h"

#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cassert>
#include <memory>

using namespace llvm;

namespace llamaweights {

Checkpoint::~Checkpoint() = default;
QuantizedMatrix::~QuantizedMatrix() = default;

const QuantizedMatrix *Checkpoint::getQuantized(const TensorInfo &) const {
  return nullptr;
}

Error Checkpoint::readEncoded(const TensorInfo &, int64_t,
                              MutableArrayRef<char>) const {
  llvm_unreachable("a checkpoint that encodes tensors can read them");
}

std::string TensorInfo::getTypeName() const {
  return encoding.empty() ? getName(dtype).str() : encoding;
}

int64_t TensorInfo::getStoredBytes() const {
  return encoding.empty() ? getRows() * getRowBytes() : encodedBytes;
}

const TensorInfo *Checkpoint::find(StringRef name) const {
  ArrayRef<TensorInfo> tensors = getTensors();
  const auto *it = std::find_if(
      tensors.begin(), tensors.end(),
      [&](const TensorInfo &tensor) { return tensor.name == name; });
  return it == tensors.end() ? nullptr : it;
}

Error Checkpoint::readRowsAs(const TensorInfo &tensor, DType type,
                             int64_t first, int64_t count,
                             MutableArrayRef<char> out) const {
  assert(!isQuantized(type) && "rows are converted to plain types only");
  int64_t columns = tensor.getColumns();
  int64_t rowBytes = tensor.getRowBytes();
  int64_t outBytes = columns * getBlockBytes(type);
  assert(int64_t(out.size()) == count * outBytes && "room for the rows asked");
  if (type == tensor.dtype || count == 0)
    return readRows(tensor, first, count, out);

  // Stored rows and their values should not leave the second-level cache
  // between the two loops: 256 KiB of stored rows, one row of values.
  int64_t panelRows = std::clamp<int64_t>((256 << 10) / rowBytes, 1, count);
  auto panel = std::make_unique_for_overwrite<char[]>(panelRows * rowBytes);
  std::unique_ptr<float[]> values;
  if (isQuantized(tensor.dtype))
    values = std::make_unique_for_overwrite<float[]>(columns);

  char *next = out.data();
  for (int64_t done = 0; done < count; done += panelRows) {
    int64_t rows = std::min(panelRows, count - done);
    if (Error error = readRows(tensor, first + done, rows,
                               {panel.get(), size_t(rows * rowBytes)}))
      return error;
    if (!values) {
      convertFloats(tensor.dtype, panel.get(), type, next, rows * columns);
      next += rows * outBytes;
      continue;
    }
    for (int64_t row = 0; row < rows; ++row, next += outBytes) {
      dequantize(tensor.dtype, panel.get() + row * rowBytes, values.get(),
                 columns);
      convertFloats(DType::F32, reinterpret_cast<const char *>(values.get()),
                    type, next, columns);
    }
  }
  return Error::success();
}

} // namespace llamaweights
