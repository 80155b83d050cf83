//===- FloatConversion.h - f16, bf16 and f32 by their bits ------*- C++ -*-===//
//
// Conversions round to nearest, ties to even; infinities stay infinite, NaNs
// stay NaNs. Branch-free, so that loops over them become vector code.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FLOATCONVERSION_H
#define LLAMA_WEIGHTS_FLOATCONVERSION_H

#include "weights/DType.h"

#include <bit>
#include <cstdint>

namespace llamaweights {

inline float bfloat16ToFloat(uint16_t value) {
  return std::bit_cast<float>(uint32_t(value) << 16);
}

inline uint16_t floatToBFloat16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  uint32_t quiet = (bits >> 16) | 0x40;
  return uint16_t((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
}

inline float halfToFloat(uint16_t value) {
  // Exponent and mantissa at the places of an f32; its bias is 112 larger.
  uint32_t magnitude = (value & 0x7fffu) << 13;
  uint32_t exponent = magnitude & 0x0f800000u;
  uint32_t normal = magnitude + (112u << 23);
  uint32_t special = magnitude + (224u << 23); // exponent 31 becomes 255
  // Subnormal: 2^-14 * (1 + m / 1024) - 2^-14 is exact.
  uint32_t small =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude + (113u << 23)) -
                              std::bit_cast<float>(113u << 23));
  uint32_t bits = exponent == 0x0f800000u ? special
                  : exponent == 0         ? small
                                          : normal;
  return std::bit_cast<float>(bits | (value & 0x8000u) << 16);
}

inline uint16_t floatToHalf(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t magnitude = bits & 0x7fffffff;
  uint32_t normal =
      (magnitude - (112u << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  // Below 2^-14: the last place of 0.5 is 2^-24, f16's smallest step, so the
  // addition does the rounding.
  uint32_t small =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) -
      std::bit_cast<uint32_t>(0.5f);
  uint32_t special =
      magnitude > 0x7f800000 ? 0x7e00u | ((magnitude >> 13) & 0x3ff) : 0x7c00u;
  uint32_t result = magnitude >= 0x47800000u  ? special // 65536 and more
                    : magnitude < 0x38800000u ? small
                                              : normal;
  return uint16_t(result | ((bits >> 16) & 0x8000u));
}

/// Converts `count` elements between plain types; `in` and `out` do not
/// overlap and need no alignment.
void convertFloats(DType from, const char *in, DType to, char *out,
                   int64_t count);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FLOATCONVERSION_H
