//===- TensorLayout.h - The ways in which a tensor is stored ----*- C++ -*-===//
//
//   rows       one row after the other, nothing between them
//   panels16   panels of 16 rows: PanelLayout.h
//
// llama_info names the layout of every tensor. A new layout is a header of its
// own, a name here, and what packs and reads it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_TENSORLAYOUT_H
#define LLAMA_RUNTIME_ABI_TENSORLAYOUT_H

#include "runtime/abi/PanelLayout.h"

namespace llamaabi {

enum class TensorLayout : uint8_t { Rows, Panels16 };

constexpr std::string_view getName(TensorLayout layout) {
  return layout == TensorLayout::Rows ? "rows" : "panels16";
}

constexpr std::optional<TensorLayout> parseTensorLayout(std::string_view name) {
  for (TensorLayout layout : {TensorLayout::Rows, TensorLayout::Panels16})
    if (name == getName(layout))
      return layout;
  return std::nullopt;
}

/// Bytes of a tensor [rows, columns]; of a vector `rows` is 1. Integers are
/// stored in panels only.
constexpr int64_t getTensorBytes(TensorLayout layout,
                                 const ElementFormat &format, int64_t rows,
                                 int64_t columns) {
  if (layout == TensorLayout::Panels16)
    return PanelLayout{format}.getMatrixBytes(rows, columns);
  return rows * columns * format.bits / 8;
}

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_TENSORLAYOUT_H
