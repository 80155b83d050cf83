//===- WeightBlock.cpp - The block of weights of a model ------------------===//
//
// checkTensor compares what the description states with the block before it is
// used.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/WeightBlock.h"

#include "weights/FloatConversion.h"
#include "weights/InputError.h"

#include <cstring>

using namespace llvm;
using llamaabi::ElementFormat;
using llamaabi::ElementKind;
using llamaabi::PanelLayout;
using llamaabi::TensorLayout;

namespace llamaweights {
namespace {

/// What its rows are read as.
DType getDType(const ElementFormat &format) {
  switch (format.kind) {
  case ElementKind::F16:
    return DType::F16;
  case ElementKind::BF16:
    return DType::BF16;
  case ElementKind::F32:
  case ElementKind::Integer:
    break;
  }
  return DType::F32;
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

Error BlockCheckpoint::add(StringRef where,
                           const llamaabi::TensorEntry &entry) {
  std::string problem = llamaabi::checkTensor(entry, block.bytes);
  if (!problem.empty())
    return makeInputError(where, problem);
  TensorInfo info;
  info.name = info.sourceName = entry.name;
  info.file = block.file->getPath().str();
  info.dtype = getDType(entry.dtype);
  info.shape = entry.shape;
  info.isHadamardRotated = entry.isRotated;
  Place place = {block.offset + uint64_t(entry.offset), std::nullopt};
  if (entry.layout == TensorLayout::Panels16) {
    place.layout = PanelLayout{entry.dtype};
    info.encoding = getName(entry.dtype);
    info.encodedBytes = entry.bytes;
  }
  infos.push_back(std::move(info));
  places.push_back(place);
  return Error::success();
}

} // namespace llamaweights
