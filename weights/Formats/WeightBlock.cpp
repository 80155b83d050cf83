//===- WeightBlock.cpp - The block of weights of a model ------------------===//
//
// Every size and place that the description states is checked before it is
// used.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/WeightBlock.h"

#include "weights/Containers/JsonObject.h"
#include "weights/FloatConversion.h"
#include "weights/Formats/FileCheckpoint.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <cstring>
#include <limits>

using namespace llvm;
using llamaabi::QuantizedLayout;

namespace llamaweights {
namespace {

std::optional<DType> parseDType(StringRef name) {
  return StringSwitch<std::optional<DType>>(name)
      .Case("f32", DType::F32)
      .Case("f16", DType::F16)
      .Case("bf16", DType::BF16)
      .Default(std::nullopt);
}

/// "int4g32": 4 bits, a scale for every 32; "int4g32m": a minimum as well.
std::optional<QuantizedLayout> parseLayout(StringRef name) {
  QuantizedLayout layout{0, 0};
  layout.hasMinimum = name.consume_back("m");
  bool isOne = name.consume_front("int") &&
               !name.consumeInteger(10, layout.bits) &&
               name.consume_front("g") && !name.getAsInteger(10, layout.group);
  if (!isOne || (layout.bits != 4 && layout.bits != 8) ||
      !is_contained({32, 64, 128, 256}, layout.group))
    return std::nullopt;
  return layout;
}

/// Bytes of a matrix, or nothing if it is not one or its sizes make no sense.
std::optional<int64_t> getLayoutBytes(const QuantizedLayout &layout,
                                      ArrayRef<int64_t> shape) {
  // The product of two of them and a little leaves 63 bits alone.
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  bool isMatrix = shape.size() == 2 && all_of(shape, [](int64_t size) {
                    return size >= 1 && size <= kMost;
                  });
  if (!isMatrix)
    return std::nullopt;
  return layout.getMatrixBytes(shape[0], shape[1]);
}

float readHalf(const std::vector<char> &list, size_t index) {
  uint16_t half;
  std::memcpy(&half, list.data() + index * sizeof(half), sizeof(half));
  return halfToFloat(half);
}

/// Some panels as they are stored.
struct EncodedPanels {
  std::vector<char> integers, scales, minimums; ///< minimums perhaps empty
};

/// Numbers of row `row` of these.
void decodeRow(const QuantizedLayout &layout, const EncodedPanels &panels,
               int64_t row, MutableArrayRef<char> out) {
  auto columns = int64_t(out.size() / sizeof(float));
  int64_t lane = row % QuantizedLayout::kPanelRows, panel = row - lane;
  const char *integers =
      panels.integers.data() + panel * layout.getRowBytes(columns);
  int64_t firstScale = panel * layout.getRowScales(columns);
  int zero = layout.hasMinimum ? 0 : layout.getZeroPoint();
  int mask = (1 << layout.bits) - 1;
  for (int64_t i = 0; i < columns; ++i) {
    llamaabi::QuantizedPlace place = layout.locate(lane, i);
    int integer = (uint8_t(integers[place.byte]) >> place.shift & mask) - zero;
    auto scale =
        size_t(firstScale + layout.locateScale(lane, i / layout.group));
    float value = readHalf(panels.scales, scale) * float(integer);
    if (layout.hasMinimum)
      value += readHalf(panels.minimums, scale);
    std::memcpy(out.data() + size_t(i) * sizeof(float), &value, sizeof(value));
  }
}

} // namespace

Error BlockCheckpoint::decodeRows(const QuantizedLayout &layout,
                                  const TensorInfo &tensor, int64_t first,
                                  int64_t count,
                                  MutableArrayRef<char> out) const {
  constexpr int64_t kRows = QuantizedLayout::kPanelRows;
  int64_t columns = tensor.getColumns();
  int64_t rowBytes = layout.getRowBytes(columns);
  int64_t scaleBytes = 2 * layout.getRowScales(columns);
  int64_t all = QuantizedLayout::getPanels(tensor.getRows()) * kRows;
  int64_t begin = first / kRows * kRows;
  int64_t end = QuantizedLayout::getPanels(first + count) * kRows;
  EncodedPanels panels;
  auto read = [&](std::vector<char> &list, int64_t at, int64_t bytes) {
    list.resize(size_t((end - begin) * bytes));
    return readEncoded(tensor, at + begin * bytes, list);
  };
  if (Error error = read(panels.integers, 0, rowBytes))
    return error;
  if (Error error = read(panels.scales, all * rowBytes, scaleBytes))
    return error;
  if (layout.hasMinimum)
    if (Error error =
            read(panels.minimums, all * (rowBytes + scaleBytes), scaleBytes))
      return error;
  for (int64_t row = 0; row < count; ++row)
    decodeRow(layout, panels, first - begin + row,
              out.slice(size_t(row * tensor.getRowBytes()),
                        size_t(tensor.getRowBytes())));
  return Error::success();
}

Error BlockCheckpoint::setType(const std::string &what, StringRef dtype,
                               TensorInfo &info, Place &place,
                               int64_t &expected) {
  std::optional<int64_t> bytes;
  if (std::optional<DType> type = parseDType(dtype)) {
    info.dtype = *type;
    if (!info.shape.empty() && info.shape.size() <= 2)
      bytes = getStoredBytes(*type, info.shape);
  } else if (std::optional<QuantizedLayout> layout = parseLayout(dtype)) {
    place.layout = layout;
    info.dtype = DType::F32;
    info.encoding = dtype;
    bytes = getLayoutBytes(*layout, info.shape);
    info.encodedBytes = bytes.value_or(0);
  } else {
    return makeInputError(what, "is of type " + quote(dtype) +
                                    ", expected f32, f16, bf16, or integers "
                                    "as in 'int8g128' or 'int4g32'");
  }
  if (!bytes)
    return makeInputError(what, "is " + formatShape(info.shape) + " of " +
                                    dtype +
                                    ", expected one or two dimensions "
                                    "that a file can hold");
  expected = *bytes;
  return Error::success();
}

Error BlockCheckpoint::add(StringRef where, const nlohmann::json &entry,
                           std::string &hash) {
  TensorInfo info;
  Place place = {};
  std::string dtype;
  int64_t offset = 0, bytes = 0, expected = 0;
  JsonObject object(where, entry);
  object.read("name", info.name);
  object.read("dtype", dtype);
  object.findIntegers("shape", info.shape);
  object.read("offset", offset);
  object.read("bytes", bytes);
  object.find("hash", hash);
  object.find("rotated", info.isHadamardRotated);
  if (Error error = object.finish())
    return error;
  std::string what = where.str() + ": tensor " + quote(info.name);
  info.sourceName = info.name;
  info.file = block.file->getPath().str();
  if (Error error = setType(what, dtype, info, place, expected))
    return error;
  if (expected != bytes)
    return makeInputError(what, "is " + formatShape(info.shape) + " of " +
                                    dtype + " in " + Twine(bytes) +
                                    " bytes, expected " + Twine(expected));
  if (offset < 0 || uint64_t(offset) > block.bytes ||
      uint64_t(bytes) > block.bytes - uint64_t(offset))
    return makeInputError(
        what, "has " + Twine(bytes) + " bytes at byte " + Twine(offset) +
                  " of the block, which has " + Twine(block.bytes) + " bytes");
  place.offset = block.offset + uint64_t(offset);
  infos.push_back(std::move(info));
  places.push_back(place);
  return Error::success();
}

} // namespace llamaweights
