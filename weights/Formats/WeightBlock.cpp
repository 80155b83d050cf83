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
using llamaabi::ElementFormat;
using llamaabi::PanelLayout;
using llamaabi::TensorLayout;

namespace llamaweights {
namespace {

std::optional<DType> parseDType(StringRef name) {
  return StringSwitch<std::optional<DType>>(name)
      .Case("f32", DType::F32)
      .Case("f16", DType::F16)
      .Case("bf16", DType::BF16)
      .Default(std::nullopt);
}

/// Bytes of a tensor, or nothing if its sizes make no sense.
std::optional<int64_t> getBytes(TensorLayout layout,
                                const ElementFormat &format,
                                ArrayRef<int64_t> shape) {
  // The product of two of them and a little leaves 63 bits alone.
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  bool isSound =
      !shape.empty() && shape.size() <= 2 &&
      all_of(shape, [](int64_t size) { return size >= 1 && size <= kMost; });
  if (!isSound || (layout == TensorLayout::Panels16 && shape.size() != 2))
    return std::nullopt;
  return llamaabi::getTensorBytes(
      layout, format, shape.size() == 2 ? shape[0] : 1, shape.back());
}

/// A number of f16 at a byte of a panel.
float readHalf(const char *panel, int64_t byte) {
  uint16_t half;
  std::memcpy(&half, panel + byte, sizeof(half));
  return halfToFloat(half);
}

/// A row of integers, as f32.
void decodeIntegers(const PanelLayout &layout, const char *panel, int64_t lane,
                    MutableArrayRef<char> out) {
  auto columns = int64_t(out.size() / sizeof(float));
  int zero = layout.format.getZeroPoint(), mask = (1 << layout.format.bits) - 1;
  for (int64_t i = 0; i < columns; ++i) {
    llamaabi::PanelPlace place = layout.locate(lane, i);
    int integer = (uint8_t(panel[place.byte]) >> place.shift & mask) - zero;
    int64_t group = i / layout.format.group;
    float value =
        readHalf(panel, layout.locateScales(group) + 2 * lane) * float(integer);
    if (layout.format.hasMinimum)
      value += readHalf(panel, layout.locateMinimums(group) + 2 * lane);
    std::memcpy(out.data() + size_t(i) * sizeof(float), &value, sizeof(value));
  }
}

/// A row of floating point, as it is.
void decodeFloats(const PanelLayout &layout, const char *panel, int64_t lane,
                  MutableArrayRef<char> out) {
  auto bytes = size_t(layout.format.bits / 8);
  for (size_t i = 0; i < out.size() / bytes; ++i)
    std::memcpy(out.data() + i * bytes,
                panel + layout.locate(lane, int64_t(i)).byte, bytes);
}

} // namespace

Error BlockCheckpoint::decodeRows(const PanelLayout &layout,
                                  const TensorInfo &tensor, int64_t first,
                                  int64_t count,
                                  MutableArrayRef<char> out) const {
  constexpr int64_t kRows = PanelLayout::kPanelRows;
  int64_t panelBytes = layout.getPanelBytes(tensor.getColumns());
  int64_t begin = first / kRows, end = PanelLayout::getPanels(first + count);
  std::vector<char> panels(size_t((end - begin) * panelBytes));
  if (Error error = readEncoded(tensor, begin * panelBytes, panels))
    return error;
  auto rowBytes = size_t(tensor.getRowBytes());
  for (int64_t row = first; row < first + count; ++row) {
    const char *panel = panels.data() + (row / kRows - begin) * panelBytes;
    MutableArrayRef<char> into =
        out.slice(size_t(row - first) * rowBytes, rowBytes);
    if (layout.format.isInteger())
      decodeIntegers(layout, panel, row % kRows, into);
    else
      decodeFloats(layout, panel, row % kRows, into);
  }
  return Error::success();
}

Error BlockCheckpoint::setType(const std::string &what, StringRef dtype,
                               StringRef layout, TensorInfo &info, Place &place,
                               int64_t &expected) {
  std::optional<ElementFormat> format =
      llamaabi::parseElementFormat(std::string_view(dtype));
  std::optional<TensorLayout> stored =
      llamaabi::parseTensorLayout(std::string_view(layout));
  if (!format)
    return makeInputError(what, "is of type " + quote(dtype) +
                                    ", expected f32, f16, bf16, or integers "
                                    "as in 'int8g128' or 'int4g32'");
  if (!stored || (format->isInteger() && stored != TensorLayout::Panels16))
    return makeInputError(what, "has layout " + quote(layout) +
                                    ", expected 'panels16', or 'rows' of "
                                    "floating point");
  std::optional<int64_t> bytes = getBytes(*stored, *format, info.shape);
  info.dtype = parseDType(dtype).value_or(DType::F32);
  if (stored == TensorLayout::Panels16) {
    place.layout = PanelLayout{*format};
    info.encoding = dtype;
    info.encodedBytes = bytes.value_or(0);
  }
  if (!bytes)
    return makeInputError(what, "is " + formatShape(info.shape) + " of " +
                                    dtype +
                                    ", expected one or two dimensions "
                                    "that a file can hold");
  expected = *bytes;
  return Error::success();
}

Error BlockCheckpoint::add(StringRef where, const nlohmann::json &entry) {
  TensorInfo info;
  Place place = {};
  std::string dtype, layout;
  int64_t offset = 0, bytes = 0, expected = 0;
  JsonObject object(where, entry);
  object.read("name", info.name);
  object.read("dtype", dtype);
  object.read("layout", layout);
  object.findIntegers("shape", info.shape);
  object.read("offset", offset);
  object.read("bytes", bytes);
  object.find("rotated", info.isHadamardRotated);
  if (Error error = object.finish())
    return error;
  std::string what = where.str() + ": tensor " + quote(info.name);
  info.sourceName = info.name;
  info.file = block.file->getPath().str();
  if (Error error = setType(what, dtype, layout, info, place, expected))
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
