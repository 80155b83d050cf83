//===- FiniteNumbersTest.cpp - Where a number is NaN or infinite ----------===//
//
// Every type, at every kind of place: in a block, between blocks, at an odd
// address.
//
//===----------------------------------------------------------------------===//

#include "weights/FiniteNumbers.h"

#include "weights/FloatConversion.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

using namespace llamaweights;

namespace {

const DType kTypes[] = {DType::F32, DType::F16, DType::BF16};

/// Numbers in `type`, from an odd address on.
std::vector<char> convert(DType type, const std::vector<float> &numbers) {
  std::vector<char> bytes(numbers.size() * size_t(getBlockBytes(type)) + 1);
  convertFloats(DType::F32, reinterpret_cast<const char *>(numbers.data()),
                type, bytes.data() + 1, int64_t(numbers.size()));
  return bytes;
}

TEST(FiniteNumbers, LargeAndSmallOnesAreFinite) {
  std::vector<float> numbers(10000, 65504.0F);
  numbers[17] = -65504.0F;
  numbers[18] = 0x1p-24F;
  numbers[19] = -0.0F;
  for (DType type : kTypes)
    EXPECT_FALSE(findNonFinite(type, convert(type, numbers).data() + 1, 10000));
}

TEST(FiniteNumbers, TheFirstIsFound) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::pair<float, const char *> bad[] = {
      {inf, "inf"}, {-inf, "-inf"}, {std::nanf(""), "nan"}};
  for (DType type : kTypes)
    for (auto [value, text] : bad)
      for (int64_t at : {0, 1, 4095, 4096, 9999}) {
        std::vector<float> numbers(10000, 1.5F);
        numbers[size_t(at)] = value;
        numbers.back() = at == 9999 ? value : inf;
        auto found =
            findNonFinite(type, convert(type, numbers).data() + 1, 10000);
        ASSERT_TRUE(found.has_value());
        EXPECT_EQ(found->index, at);
        EXPECT_EQ(found->text, text);
      }
}

TEST(FiniteNumbers, NoneIsFine) {
  EXPECT_FALSE(findNonFinite(DType::F32, nullptr, 0));
}

} // namespace
