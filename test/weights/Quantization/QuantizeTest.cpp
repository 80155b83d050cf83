//===- QuantizeTest.cpp - Block types of GGUF files to numbers ------------===//
//
// Blocks worked out by hand for the simple types; for every type, random blocks
// against the gguf package, to the bit (see reference.py).
//
//===----------------------------------------------------------------------===//

#include "weights/Quantization/Quantize.h"

#include "test/weights/TempFolder.h"
#include "weights/FloatConversion.h"

#include <cmath>

using namespace llamatest;
using namespace llamaweights;

namespace {

std::vector<float> decode(DType type, const std::string &blocks) {
  size_t count = blocks.size() / size_t(getBlockBytes(type)) *
                 size_t(getBlockElements(type));
  std::vector<float> values(count);
  dequantize(type, blocks.data(), values.data(), int64_t(count));
  return values;
}

/// 0.5 and 1.0 as f16.
const std::string kHalf("\x00\x38", 2), kOne("\x00\x3c", 2);

TEST(Quantize, Q8_0ByHand) {
  std::string block = kHalf;
  for (int i = 0; i < 32; ++i)
    block += char(i * 8 - 128);
  std::vector<float> values = decode(DType::Q8_0, block);
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(values[size_t(i)], 0.5f * float(i * 8 - 128)) << i;
}

TEST(Quantize, Q4ByHand) {
  std::string codes; // code i in the low nibble, 15 - i in the high one
  for (int i = 0; i < 16; ++i)
    codes += char(i | (15 - i) << 4);
  std::vector<float> symmetric = decode(DType::Q4_0, kHalf + codes);
  std::vector<float> shifted = decode(DType::Q4_1, kHalf + kOne + codes);
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(symmetric[size_t(i)], 0.5f * float(i - 8)) << i;
    EXPECT_EQ(symmetric[size_t(i) + 16], 0.5f * float(7 - i)) << i;
    EXPECT_EQ(shifted[size_t(i)], 0.5f * float(i) + 1.0f) << i;
    EXPECT_EQ(shifted[size_t(i) + 16], 0.5f * float(15 - i) + 1.0f) << i;
  }
}

/// Codes, scales and minimums of random blocks stand for the same numbers: to
/// the bit where they are stored as such, else but for their rounding to f16.
TEST(Quantize, CodesOfBlocksWithMinimums) {
  const char *reference = std::getenv("LLAMA_WEIGHTS_REFERENCE");
  if (!reference)
    GTEST_SKIP() << "LLAMA_WEIGHTS_REFERENCE is not set, see reference.py";
  for (auto [type, bits, isExact] : {std::tuple(DType::Q4_1, 4, true),
                                     {DType::Q5_1, 5, true},
                                     {DType::Q4_K, 4, false},
                                     {DType::Q5_K, 5, false}}) {
    std::string stem =
        std::string(reference) + "/quantized/" + getName(type).str();
    std::string blocks = readFile(stem + ".blocks");
    std::vector<float> expected = readNumbers<float>(stem + ".f32");
    size_t count = expected.size(), wrong = 0;
    std::vector<uint8_t> codes(count);
    std::vector<uint16_t> scales(count / 32), minimums(count / 32);
    readCodes(type, blocks.data(), codes.data(), scales.data(), minimums.data(),
              int64_t(count));
    EXPECT_EQ(getMinimumBits(type), bits);
    for (size_t i = 0; i < count; ++i) {
      float product = halfToFloat(scales[i / 32]) * float(codes[i]);
      float minimum = halfToFloat(minimums[i / 32]);
      // Subnormal numbers of f16 are rounded to 2^-25, with codes below 32.
      float slack =
          isExact
              ? 0.0f
              : 0x1p-11f * (std::abs(product) + std::abs(minimum)) + 0x1p-19f;
      bool isSame = std::abs(product + minimum - expected[i]) <= slack;
      wrong +=
          !isSame && !std::isnan(expected[i]) && !std::isinf(product + minimum);
      wrong += codes[i] >= 1 << bits;
    }
    EXPECT_EQ(wrong, 0u) << getName(type).str();
  }
  EXPECT_EQ(getMinimumBits(DType::Q4_0), 0);
  EXPECT_EQ(getMinimumBits(DType::Q6_K), 0);
}

TEST(Quantize, EveryTypeLikeTheGgufPackage) {
  const char *reference = std::getenv("LLAMA_WEIGHTS_REFERENCE");
  if (!reference)
    GTEST_SKIP() << "LLAMA_WEIGHTS_REFERENCE is not set, see reference.py";
  for (DType type :
       {DType::Q4_0, DType::Q4_1, DType::Q5_0, DType::Q5_1, DType::Q8_0,
        DType::Q2_K, DType::Q3_K, DType::Q4_K, DType::Q5_K, DType::Q6_K}) {
    std::string stem =
        std::string(reference) + "/quantized/" + getName(type).str();
    std::vector<float> values = decode(type, readFile(stem + ".blocks"));
    std::vector<uint32_t> expected = readNumbers<uint32_t>(stem + ".f32");
    ASSERT_EQ(values.size(), expected.size());
    ASSERT_GE(values.size(), 400u * 32u);
    size_t wrong = 0;
    for (size_t i = 0; i < values.size(); ++i)
      wrong += std::bit_cast<uint32_t>(values[i]) != expected[i];
    EXPECT_EQ(wrong, 0u) << getName(type).str();
  }
}

} // namespace
