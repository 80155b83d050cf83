//===- TensorStream.cpp - Rows of a tensor, on their way out --------------===//
//
// One panel is read and converted while the one before is written by another
// thread: reading, conversion and writing are about equally fast.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/TensorStream.h"

#include "weights/Quantization/Quantize.h"
#include "weights/RopeOrder.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <future>

using namespace llvm;

namespace llamaweights {
namespace {

// Three of them are in flight. Larger ones leave the second-level cache.
constexpr int64_t kPanelBytes = 4 << 20;

class RowStream {
public:
  RowStream(const Checkpoint &checkpoint, const TensorInfo &tensor,
            RowFormat format)
      : checkpoint(checkpoint), tensor(tensor), format(format),
        rowBytes(getStreamedBytes(tensor, format.dtype) /
                 std::max<int64_t>(tensor.getRows(), 1)) {}

  Error run(ByteSink sink);

private:
  Error readPanel(int64_t first, int64_t count, std::vector<char> &panel);

  const Checkpoint &checkpoint;
  const TensorInfo &tensor;
  RowFormat format;
  int64_t rowBytes; ///< as they are written
  std::vector<char> canonical, values;
};

Error RowStream::readPanel(int64_t first, int64_t count,
                           std::vector<char> &panel) {
  bool isReordered = format.halfSplitHeadDim != 0;
  std::vector<char> &rows = isReordered ? canonical : panel;
  rows.resize(size_t(count * rowBytes));
  if (format.dtype == tensor.dtype || !isQuantized(format.dtype)) {
    Error error =
        format.dtype == tensor.dtype
            ? checkpoint.readRows(tensor, first, count, rows)
            : checkpoint.readRowsAs(tensor, format.dtype, first, count, rows);
    if (error)
      return error;
  } else {
    int64_t elements = count * tensor.getColumns();
    values.resize(size_t(elements) * sizeof(float));
    if (Error error =
            checkpoint.readRowsAs(tensor, DType::F32, first, count, values))
      return error;
    quantize(format.dtype, reinterpret_cast<const float *>(values.data()),
             rows.data(), elements);
  }
  if (!isReordered)
    return Error::success();
  panel.resize(rows.size());
  for (int64_t row = 0; row < count; ++row)
    std::memcpy(panel.data() +
                    getHalfSplitRow(row, format.halfSplitHeadDim) * rowBytes,
                rows.data() + row * rowBytes, size_t(rowBytes));
  return Error::success();
}

Error RowStream::run(ByteSink sink) {
  int64_t rows = tensor.getRows();
  // Whole heads, so that each panel can be put in order by itself.
  int64_t unit = std::max<int64_t>(format.halfSplitHeadDim, 1);
  assert(rows % unit == 0 && "rows of whole heads");
  int64_t step = std::max<int64_t>(
                     kPanelBytes / std::max<int64_t>(rowBytes * unit, 1), 1) *
                 unit;
  std::vector<char> panels[2];
  std::future<std::string> written;
  auto finish = [&]() -> Error {
    std::string complaint = written.valid() ? written.get() : "";
    if (complaint.empty())
      return Error::success();
    return createStringError(inconvertibleErrorCode(), complaint);
  };
  for (int64_t row = 0, turn = 0; row < rows; row += step, ++turn) {
    std::vector<char> &panel = panels[turn % 2];
    Error error = readPanel(row, std::min(step, rows - row), panel);
    if (Error late = finish())
      return joinErrors(std::move(late), std::move(error));
    if (error)
      return error;
    if (rows <= step)
      return sink(panel);
    written = std::async(std::launch::async,
                         [&panel, &sink] { return toString(sink(panel)); });
  }
  return finish();
}

} // namespace

int64_t getStreamedBytes(const TensorInfo &tensor, DType dtype) {
  return tensor.getRows() * (tensor.getColumns() / getBlockElements(dtype)) *
         getBlockBytes(dtype);
}

Error streamRows(const Checkpoint &checkpoint, const TensorInfo &tensor,
                 RowFormat format, ByteSink sink) {
  return RowStream(checkpoint, tensor, format).run(sink);
}

} // namespace llamaweights
