//===- ElementFormat.h - The numbers that a tensor is made of ---*- C++ -*-===//
//
//   "bf16", "f16", "f32"           floating point
//   "int4g32", "int8g128m"         integers of 4 and 8 bits whose groups of 32
//                                  and 128 share a scale, and (m) a minimum
//
// The names are those of llama_info. Who writes or reads one includes this
// header.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_ELEMENTFORMAT_H
#define LLAMA_RUNTIME_ABI_ELEMENTFORMAT_H

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llamaabi {

/// Elements of a row that may share a scale.
inline constexpr int kGroupSizes[] = {32, 64, 128, 256};

enum class ElementKind : uint8_t { F32, F16, BF16, Integer };

/// Of integers q, along a row: an element is scale * (q - zero point), or with
/// a minimum scale * q + minimum. Scales and minimums are f16.
struct ElementFormat {
  ElementKind kind = ElementKind::F32;
  int bits = 32;
  int group = 0; ///< elements that share a scale; 0: floating point
  bool hasMinimum = false;

  static constexpr ElementFormat getFloat(ElementKind kind) {
    return {kind, kind == ElementKind::F32 ? 32 : 16};
  }
  static constexpr ElementFormat getInteger(int bits, int group,
                                            bool hasMinimum = false) {
    return {ElementKind::Integer, bits, group, hasMinimum};
  }
  constexpr bool isInteger() const { return kind == ElementKind::Integer; }
  /// The integer that stands for zero.
  constexpr int getZeroPoint() const {
    return hasMinimum || !isInteger() ? 0 : 1 << (bits - 1);
  }
  /// Whether models can hold it.
  constexpr bool isValid() const {
    if (!isInteger())
      return bits == (kind == ElementKind::F32 ? 32 : 16) && group == 0;
    bool isGroup = false;
    for (int size : kGroupSizes)
      isGroup |= group == size;
    return (bits == 4 || bits == 8) && isGroup;
  }
  constexpr bool operator==(const ElementFormat &) const = default;
};

inline std::string getName(const ElementFormat &format) {
  switch (format.kind) {
  case ElementKind::F32:
    return "f32";
  case ElementKind::F16:
    return "f16";
  case ElementKind::BF16:
    return "bf16";
  case ElementKind::Integer:
    break;
  }
  return "int" + std::to_string(format.bits) + "g" +
         std::to_string(format.group) + (format.hasMinimum ? "m" : "");
}

/// The format of that name, if models can hold it.
inline std::optional<ElementFormat> parseElementFormat(std::string_view name) {
  for (ElementKind kind :
       {ElementKind::F32, ElementKind::F16, ElementKind::BF16})
    if (ElementFormat format = ElementFormat::getFloat(kind);
        name == getName(format))
      return format;
  ElementFormat format = ElementFormat::getInteger(0, 0);
  if (name.substr(0, 3) != "int")
    return std::nullopt;
  const char *end = name.data() + name.size();
  auto bits = std::from_chars(name.data() + 3, end, format.bits);
  if (bits.ec != std::errc() || bits.ptr == end || *bits.ptr != 'g')
    return std::nullopt;
  auto group = std::from_chars(bits.ptr + 1, end, format.group);
  if (group.ec != std::errc())
    return std::nullopt;
  format.hasMinimum = group.ptr != end;
  // Also refuses what is written differently, such as "int04g32".
  if (!format.isValid() || getName(format) != name)
    return std::nullopt;
  return format;
}

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_ELEMENTFORMAT_H
