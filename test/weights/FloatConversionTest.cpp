//===- FloatConversionTest.cpp - f16, bf16 and f32 by their bits ----------===//
//
// Every 16-bit value, and f32 values around every place where rounding decides,
// against llvm::APFloat.
//
//===----------------------------------------------------------------------===//

#include "weights/FloatConversion.h"

#include "llvm/ADT/APFloat.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

using namespace llamaweights;
using namespace llvm;

namespace {

uint64_t convertBits(uint64_t bits, const fltSemantics &from,
                     const fltSemantics &to) {
  APFloat value(from, APInt(APFloat::getSizeInBits(from), bits));
  bool ignored = false;
  value.convert(to, APFloat::rmNearestTiesToEven, &ignored);
  return value.bitcastToAPInt().getZExtValue();
}

/// f32 bit patterns: both signs, every exponent, mantissas on, just below and
/// just above what f16, its subnormals and bf16 keep.
std::vector<uint32_t> makeFloats() {
  std::vector<uint32_t> result;
  for (uint32_t top = 0; top < (1u << 16); top += 3)
    for (uint32_t low : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      result.push_back(top << 16 | low);
  for (uint32_t exponent = 96; exponent < 146; ++exponent)
    for (int bit = 0; bit < 23; ++bit)
      for (uint32_t delta : {0u, 1u, ~0u, 3u << bit})
        result.push_back((exponent << 23 | 1u << bit) + delta);
  return result;
}

TEST(FloatConversion, HalfToFloatIsExact) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    float value = halfToFloat(uint16_t(bits));
    float expected = std::bit_cast<float>(uint32_t(
        convertBits(bits, APFloat::IEEEhalf(), APFloat::IEEEsingle())));
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(value)) << bits;
    else
      EXPECT_EQ(std::bit_cast<uint32_t>(value),
                std::bit_cast<uint32_t>(expected))
          << bits;
  }
}

TEST(FloatConversion, BFloat16ToFloatIsExact) {
  for (uint32_t bits = 0; bits < 65536; ++bits)
    EXPECT_EQ(std::bit_cast<uint32_t>(bfloat16ToFloat(uint16_t(bits))),
              bits << 16);
}

TEST(FloatConversion, FloatToHalfRoundsToNearestEven) {
  for (uint32_t bits : makeFloats()) {
    float value = std::bit_cast<float>(bits);
    uint16_t half = floatToHalf(value);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(halfToFloat(half))) << bits;
    else
      EXPECT_EQ(half,
                convertBits(bits, APFloat::IEEEsingle(), APFloat::IEEEhalf()))
          << bits;
  }
}

TEST(FloatConversion, FloatToBFloat16RoundsToNearestEven) {
  for (uint32_t bits : makeFloats()) {
    float value = std::bit_cast<float>(bits);
    uint16_t result = floatToBFloat16(value);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(bfloat16ToFloat(result))) << bits;
    else
      EXPECT_EQ(result,
                convertBits(bits, APFloat::IEEEsingle(), APFloat::BFloat()))
          << bits;
  }
}

/// Rows are converted by vector code: each element must come out as it does
/// alone, at every length and without alignment.
TEST(FloatConversion, RowsConvertLikeSingleElements) {
  const DType types[] = {DType::F32, DType::F16, DType::BF16};
  auto load = [](DType type, const char *at) {
    uint32_t wide = 0;
    std::memcpy(&wide, at, size_t(getBlockBytes(type)));
    return type == DType::F32   ? std::bit_cast<float>(wide)
           : type == DType::F16 ? halfToFloat(uint16_t(wide))
                                : bfloat16ToFloat(uint16_t(wide));
  };
  auto store = [](DType type, float value) -> uint32_t {
    return type == DType::F32   ? std::bit_cast<uint32_t>(value)
           : type == DType::F16 ? floatToHalf(value)
                                : floatToBFloat16(value);
  };
  std::vector<uint32_t> floats = makeFloats();
  for (DType from : types)
    for (DType to : types)
      for (int64_t count : {0, 1, 7, 64, 1023}) {
        int64_t fromBytes = getBlockBytes(from), toBytes = getBlockBytes(to);
        std::vector<char> in(size_t(count * fromBytes + 1));
        std::memcpy(in.data() + 1, floats.data(), in.size() - 1);
        std::vector<char> out(size_t(count * toBytes + 1));
        convertFloats(from, in.data() + 1, to, out.data() + 1, count);
        for (int64_t i = 0; i < count; ++i) {
          uint32_t found = 0, expected = 0;
          std::memcpy(&found, out.data() + 1 + i * toBytes, size_t(toBytes));
          const char *source = in.data() + 1 + i * fromBytes;
          if (from == to)
            std::memcpy(&expected, source, size_t(fromBytes));
          else
            expected = store(to, load(from, source));
          ASSERT_EQ(found, expected) << getName(from).str() << " to "
                                     << getName(to).str() << ", " << i;
        }
      }
}

} // namespace
