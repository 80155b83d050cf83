//===- TensorScan.cpp - One pass over the numbers of a tensor -------------===//
//
// The mean is a sum in f64, the deviation comes from sums of each panel that
// are joined by the rule for two samples: no square of a large sum is taken.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/TensorScan.h"

#include "weights/FloatConversion.h"
#include "weights/Quantization/Quantize.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace llvm;

namespace llamaweights {
namespace {

// Rows in flight: long enough for a disk, short enough for the cache.
constexpr int64_t kPanelBytes = 1 << 20;
constexpr size_t kFirstValues = 8;

class Statistics {
public:
  void add(ArrayRef<float> values, int64_t row, int64_t columns) {
    for (size_t i = 0; first.size() < kFirstValues && i < values.size(); ++i)
      first.push_back(values[i]);
    // A sum that is finite has finite terms; where it is not, they are counted.
    double sum = 0.0;
    for (float value : values)
      sum += double(value);
    if (!std::isfinite(sum))
      return addSlowly(values, row, columns);
    addFinite(values, sum, int64_t(values.size()));
  }

  TensorStatistics take() {
    result.elements += count;
    result.mean = mean;
    result.deviation = count ? std::sqrt(squares / double(count)) : 0.0;
    result.min = count ? double(min) : 0.0;
    result.max = count ? double(max) : 0.0;
    result.first = std::move(first);
    return result;
  }

private:
  void addFinite(ArrayRef<float> values, double sum, int64_t size) {
    double panelMean = sum / double(size), panelSquares = 0.0;
    for (float value : values) {
      double distance = double(value) - panelMean;
      panelSquares += distance * distance;
      min = value < min ? value : min;
      max = value > max ? value : max;
    }
    double both = double(count + size), distance = panelMean - mean;
    squares += panelSquares +
               distance * distance * double(count) * double(size) / both;
    mean += distance * double(size) / both;
    count += size;
  }

  void addSlowly(ArrayRef<float> values, int64_t row, int64_t columns) {
    std::vector<float> finite;
    double sum = 0.0;
    for (auto [i, value] : enumerate(values)) {
      if (std::isfinite(value)) {
        finite.push_back(value);
        sum += double(value);
        continue;
      }
      ++(std::isnan(value) ? result.nans : result.infinities);
      ++result.elements;
      if (result.badRow >= 0)
        continue;
      result.badRow = row + int64_t(i) / columns;
      result.badColumn = int64_t(i) % columns;
    }
    if (!finite.empty())
      addFinite(finite, sum, int64_t(finite.size()));
  }

  TensorStatistics result;
  std::vector<float> first;
  int64_t count = 0;
  double mean = 0.0, squares = 0.0;
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
};

void toFloats(const TensorInfo &tensor, ArrayRef<char> rows,
              MutableArrayRef<float> values) {
  if (isQuantized(tensor.dtype))
    return dequantize(tensor.dtype, rows.data(), values.data(),
                      int64_t(values.size()));
  convertFloats(tensor.dtype, rows.data(), DType::F32,
                reinterpret_cast<char *>(values.data()),
                int64_t(values.size()));
}

Error hashEncoded(const Checkpoint &checkpoint, const TensorInfo &tensor,
                  BLAKE3 &hasher) {
  std::vector<char> bytes;
  for (int64_t at = 0; at < tensor.encodedBytes; at += kPanelBytes) {
    bytes.resize(size_t(std::min(kPanelBytes, tensor.encodedBytes - at)));
    if (Error error = checkpoint.readEncoded(tensor, at, bytes))
      return error;
    hasher.update(StringRef(bytes.data(), bytes.size()));
  }
  return Error::success();
}

} // namespace

Expected<TensorScan> scanTensor(const Checkpoint &checkpoint,
                                const TensorInfo &tensor, ScanOptions options,
                                ScanProgress progress) {
  TensorScan scan;
  BLAKE3 hasher;
  Statistics statistics;
  bool isEncoded = !tensor.encoding.empty();
  if (options.hash && isEncoded)
    if (Error error = hashEncoded(checkpoint, tensor, hasher))
      return std::move(error);
  int64_t rows = tensor.getRows(), columns = tensor.getColumns();
  int64_t rowBytes = tensor.getRowBytes();
  int64_t step =
      std::clamp<int64_t>(kPanelBytes / std::max<int64_t>(rowBytes, 1), 1,
                          std::max<int64_t>(rows, 1));
  std::vector<char> bytes;
  std::vector<float> values;
  for (int64_t row = 0; row < rows && columns > 0; row += step) {
    int64_t count = std::min(step, rows - row);
    bytes.resize(size_t(count * rowBytes));
    if (Error error = checkpoint.readRows(tensor, row, count, bytes))
      return std::move(error);
    if (options.hash && !isEncoded)
      hasher.update(StringRef(bytes.data(), bytes.size()));
    if (options.statistics) {
      values.resize(size_t(count * columns));
      toFloats(tensor, bytes, values);
      statistics.add(values, row, columns);
    }
    progress(tensor.getStoredBytes() / rows * count);
  }
  if (options.hash)
    scan.hash = toHex(hasher.final(), /*LowerCase=*/true);
  if (options.statistics)
    scan.statistics = statistics.take();
  return scan;
}

} // namespace llamaweights
