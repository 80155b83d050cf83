//===- Quantize.cpp - Block types of GGUF files to numbers ----------------===//
//
// Two families. Blocks of 32: an f16 scale, perhaps an f16 minimum, 32 codes.
// Super-blocks of 256 ("K"): groups of 16 or 32 codes whose small integer
// scales (and minima) are themselves scaled by one or two f16 numbers.
//
//   value = (scale * group scale) * code  [- (minimum scale * group minimum)]
//
// Fused multiply-add would round once where ggml rounds twice, so contraction
// is off.
//
//===----------------------------------------------------------------------===//

#include "weights/Quantization/Quantize.h"

#include "weights/FloatConversion.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#pragma STDC FP_CONTRACT OFF

using namespace llvm;

namespace llamaweights {
namespace {

float readHalf(const uint8_t *bytes) {
  return halfToFloat(support::endian::read16le(bytes));
}

// 32 codes: byte i holds code i in its low nibble and code i + 16 in its high
// one; bit i of `fifth` is the fifth bit of code i.

// d f16, codes[16]; value = d * (code - 8)
void dequantizeQ4_0(const uint8_t *block, float *out) {
  float d = readHalf(block);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * float(int(block[2 + i] & 15) - 8);
    out[i + 16] = d * float(int(block[2 + i] >> 4) - 8);
  }
}

/// Groups of 32 codes with a scale and a minimum, of one block:
/// value = scale * code + minimum.
struct Groups {
  uint8_t codes[256];
  float scales[8], minimums[8];
};

// d f16, m f16, codes[16]; value = d * code + m
void readQ41(const uint8_t *block, Groups &out) {
  out.scales[0] = readHalf(block);
  out.minimums[0] = readHalf(block + 2);
  for (int i = 0; i < 16; ++i) {
    out.codes[i] = block[4 + i] & 15;
    out.codes[i + 16] = block[4 + i] >> 4;
  }
}

// d f16, fifth u32, codes[16]; value = d * (code - 16)
void dequantizeQ5_0(const uint8_t *block, float *out) {
  float d = readHalf(block);
  uint32_t fifth = support::endian::read32le(block + 2);
  for (int i = 0; i < 16; ++i) {
    int low = int((block[6 + i] & 15) | (fifth >> i & 1) << 4);
    int high = int((block[6 + i] >> 4) | (fifth >> (i + 16) & 1) << 4);
    out[i] = d * float(low - 16);
    out[i + 16] = d * float(high - 16);
  }
}

// d f16, m f16, fifth u32, codes[16]; value = d * code + m
void readQ51(const uint8_t *block, Groups &out) {
  out.scales[0] = readHalf(block);
  out.minimums[0] = readHalf(block + 2);
  uint32_t fifth = support::endian::read32le(block + 4);
  for (int i = 0; i < 16; ++i) {
    out.codes[i] = uint8_t((block[8 + i] & 15) | (fifth >> i & 1) << 4);
    out.codes[i + 16] =
        uint8_t(block[8 + i] >> 4 | (fifth >> (i + 16) & 1) << 4);
  }
}

// d f16, codes i8[32]; value = d * code
void dequantizeQ8_0(const uint8_t *block, float *out) {
  float d = readHalf(block);
  for (int i = 0; i < 32; ++i)
    out[i] = d * float(int8_t(block[2 + i]));
}

// Codes of two bits, in K blocks: byte i of a half (32 bytes for 128 codes)
// holds codes i, i + 32, i + 64, i + 96 from its lowest bits up.

// scales[16] (scale low nibble, minimum high), codes[64], d f16, dmin f16;
// groups of 16; value = (d * scale) * code - (dmin * minimum)
void dequantizeQ2_K(const uint8_t *block, float *out) {
  const uint8_t *scales = block, *codes = block + 16;
  float d = readHalf(block + 80), dmin = readHalf(block + 82);
  for (int64_t group = 0; group < 16; ++group) {
    float scale = d * float(scales[group] & 15);
    float minimum = dmin * float(scales[group] >> 4);
    const uint8_t *bytes = codes + group / 8 * 32 + group % 2 * 16;
    int64_t shift = group % 8 / 2 * 2;
    for (int i = 0; i < 16; ++i)
      out[group * 16 + i] = scale * float(bytes[i] >> shift & 3) - minimum;
  }
}

// thirdBits[32], codes[64], scales[12], d f16; groups of 16;
// value = (d * (scale - 32)) * (code - 4), the third bit of 32 consecutive
// codes in one bit position of thirdBits. A scale of six bits: scale i has its
// low four in nibble i / 8 of byte i % 8, its high two in byte 8 + i % 4.
void dequantizeQ3_K(const uint8_t *block, float *out) {
  const uint8_t *thirdBits = block, *codes = block + 32, *scales = block + 96;
  float d = readHalf(block + 108);
  for (int64_t group = 0; group < 16; ++group) {
    int low = scales[group % 8] >> (group / 8 * 4) & 15;
    int high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
    float scale = d * float((low | high << 4) - 32);
    const uint8_t *bytes = codes + group / 8 * 32 + group % 2 * 16;
    const uint8_t *thirds = thirdBits + group % 2 * 16;
    int64_t shift = group % 8 / 2 * 2, bit = group / 2;
    for (int i = 0; i < 16; ++i) {
      int code = (bytes[i] >> shift & 3) | (thirds[i] >> bit & 1) << 2;
      out[group * 16 + i] = scale * float(code - 4);
    }
  }
}

struct ScaleAndMinimum {
  int scale, minimum;
};

/// Six-bit scales and minima of the eight groups of Q4_K and Q5_K: the first
/// four in the low bits of bytes 0..3 and 4..7; the low nibbles of the others
/// in bytes 8..11, their high bits above those of the first four.
ScaleAndMinimum unpackScale(const uint8_t *packed, int64_t group) {
  if (group < 4)
    return {packed[group] & 63, packed[group + 4] & 63};
  return {(packed[group + 4] & 15) | packed[group - 4] >> 6 << 4,
          packed[group + 4] >> 4 | packed[group] >> 6 << 4};
}

// d f16, dmin f16, scales[12], codes[128]; groups of 32, two of them in the low
// and the high nibbles of 32 bytes;
// value = (d * scale) * code - (dmin * minimum)
void readQ4K(const uint8_t *block, Groups &out) {
  float d = readHalf(block), dmin = readHalf(block + 2);
  const uint8_t *scales = block + 4, *codes = block + 16;
  for (int64_t group = 0; group < 8; ++group) {
    ScaleAndMinimum packed = unpackScale(scales, group);
    out.scales[group] = d * float(packed.scale);
    out.minimums[group] = -(dmin * float(packed.minimum));
    const uint8_t *bytes = codes + group / 2 * 32;
    int64_t shift = group % 2 * 4;
    for (int i = 0; i < 32; ++i)
      out.codes[group * 32 + i] = bytes[i] >> shift & 15;
  }
}

// d f16, dmin f16, scales[12], fifthBits[32], codes[128]; as Q4_K, with bit
// `group` of fifthBits[i] on top of code i of a group
void readQ5K(const uint8_t *block, Groups &out) {
  float d = readHalf(block), dmin = readHalf(block + 2);
  const uint8_t *scales = block + 4, *fifths = block + 16, *codes = block + 48;
  for (int64_t group = 0; group < 8; ++group) {
    ScaleAndMinimum packed = unpackScale(scales, group);
    out.scales[group] = d * float(packed.scale);
    out.minimums[group] = -(dmin * float(packed.minimum));
    const uint8_t *bytes = codes + group / 2 * 32;
    int64_t shift = group % 2 * 4;
    for (int i = 0; i < 32; ++i)
      out.codes[group * 32 + i] =
          uint8_t((bytes[i] >> shift & 15) | (fifths[i] >> group & 1) << 4);
  }
}

// low[128], high[64], scales i8[16], d f16; groups of 16;
// value = (d * scale) * (code - 32). Of each half of 128 codes, in rows of 32:
// rows 0 and 1 are the low nibbles of 64 bytes, rows 2 and 3 the high ones, and
// row r has its two upper bits at position 2r of 32 bytes.
void dequantizeQ6_K(const uint8_t *block, float *out) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  float d = readHalf(block + 208);
  for (int64_t group = 0; group < 16; ++group) {
    int64_t half = group / 8, row = group % 8 / 2, offset = group % 2 * 16;
    float scale = d * float(int8_t(scales[group]));
    const uint8_t *lows = low + half * 64 + row % 2 * 32 + offset;
    const uint8_t *highs = high + half * 32 + offset;
    int64_t lowShift = row / 2 * 4, highShift = row * 2;
    for (int i = 0; i < 16; ++i) {
      int code = (lows[i] >> lowShift & 15) | (highs[i] >> highShift & 3) << 4;
      out[group * 16 + i] = scale * float(code - 32);
    }
  }
}

template <void readGroups(const uint8_t *, Groups &), int64_t elements>
void dequantizeGroups(const uint8_t *block, float *out) {
  Groups groups;
  readGroups(block, groups);
  for (int64_t i = 0; i < elements; ++i)
    out[i] = groups.scales[i / 32] * float(groups.codes[i]) +
             groups.minimums[i / 32];
}

constexpr auto dequantizeQ4_1 = dequantizeGroups<readQ41, 32>;
constexpr auto dequantizeQ5_1 = dequantizeGroups<readQ51, 32>;
constexpr auto dequantizeQ4_K = dequantizeGroups<readQ4K, 256>;
constexpr auto dequantizeQ5_K = dequantizeGroups<readQ5K, 256>;

template <void dequantizeBlock(const uint8_t *, float *)>
void dequantizeBlocks(DType type, const char *blocks, float *out,
                      int64_t count) {
  const auto *block = reinterpret_cast<const uint8_t *>(blocks);
  int64_t elements = getBlockElements(type), bytes = getBlockBytes(type);
  for (int64_t i = 0; i < count; i += elements, block += bytes)
    dequantizeBlock(block, out + i);
}

//===----------------------------------------------------------------------===//
// Numbers to blocks
//===----------------------------------------------------------------------===//

/// The element of the largest magnitude, the first of several; NaN is skipped.
float findLargest(const float *values) {
  float largest = 0.0f;
  for (int i = 0; i < 32; ++i)
    largest = std::fabs(values[i]) > std::fabs(largest) ? values[i] : largest;
  return largest;
}

void writeHalf(uint8_t *bytes, float value) {
  support::endian::write16le(bytes, floatToHalf(value));
}

/// Within [low, high]; NaN becomes `low`, and a cast to an integer is defined.
float clampCode(float value, float low, float high) {
  return value >= low ? (value <= high ? value : high) : low;
}

void quantizeQ80(const float *values, uint8_t *block) {
  float d = std::fabs(findLargest(values)) / 127.0f;
  float inverse = d != 0.0f ? 1.0f / d : 0.0f;
  writeHalf(block, d);
  for (int i = 0; i < 32; ++i)
    block[2 + i] = uint8_t(
        int8_t(clampCode(std::round(values[i] * inverse), -127.0f, 127.0f)));
}

void quantizeQ40(const float *values, uint8_t *block) {
  float d = findLargest(values) / -8.0f;
  float inverse = d != 0.0f ? 1.0f / d : 0.0f;
  writeHalf(block, d);
  auto getCode = [&](int i) {
    return uint8_t(clampCode(values[i] * inverse + 8.5f, 0.0f, 15.0f));
  };
  for (int i = 0; i < 16; ++i)
    block[2 + i] = uint8_t(getCode(i) | getCode(i + 16) << 4);
}

} // namespace

int getMinimumBits(DType type) {
  if (type == DType::Q4_1 || type == DType::Q4_K)
    return 4;
  return type == DType::Q5_1 || type == DType::Q5_K ? 5 : 0;
}

void readCodes(DType type, const char *blocks, uint8_t *codes, uint16_t *scales,
               uint16_t *minimums, int64_t count) {
  assert(getMinimumBits(type) != 0 && count % getBlockElements(type) == 0 &&
         "whole blocks with minimums");
  const auto *block = reinterpret_cast<const uint8_t *>(blocks);
  auto read = type == DType::Q4_1   ? readQ41
              : type == DType::Q5_1 ? readQ51
              : type == DType::Q4_K ? readQ4K
                                    : readQ5K;
  int64_t elements = getBlockElements(type);
  for (int64_t at = 0; at < count; at += elements) {
    Groups groups;
    read(block, groups);
    block += getBlockBytes(type);
    std::copy_n(groups.codes, elements, codes + at);
    for (int64_t group = 0; group < elements / 32; ++group) {
      scales[at / 32 + group] = floatToHalf(groups.scales[group]);
      minimums[at / 32 + group] = floatToHalf(groups.minimums[group]);
    }
  }
}

void quantize(DType type, const float *values, char *blocks, int64_t count) {
  assert((type == DType::Q8_0 || type == DType::Q4_0) && count % 32 == 0 &&
         "whole blocks of the two types");
  auto *block = reinterpret_cast<uint8_t *>(blocks);
  int64_t bytes = getBlockBytes(type);
  for (int64_t i = 0; i < count; i += 32, block += bytes)
    if (type == DType::Q8_0)
      quantizeQ80(values + i, block);
    else
      quantizeQ40(values + i, block);
}

void dequantize(DType type, const char *blocks, float *out, int64_t count) {
  assert(count % getBlockElements(type) == 0 && "a row is whole blocks");
  switch (type) {
  case DType::F32:
  case DType::F16:
  case DType::BF16:
  case DType::I8:
    break;
#define BLOCKS(id)                                                             \
  case DType::id:                                                              \
    return dequantizeBlocks<dequantize##id>(type, blocks, out, count);
    BLOCKS(Q4_0)
    BLOCKS(Q4_1)
    BLOCKS(Q5_0)
    BLOCKS(Q5_1)
    BLOCKS(Q8_0)
    BLOCKS(Q2_K)
    BLOCKS(Q3_K)
    BLOCKS(Q4_K)
    BLOCKS(Q5_K)
    BLOCKS(Q6_K)
#undef BLOCKS
  }
  llvm_unreachable("a block type");
}

} // namespace llamaweights
