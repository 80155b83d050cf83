//===- FiniteNumbers.cpp - Where a number is NaN or infinite --------------===//
//
// A number is finite unless its exponent is all ones. Signed integers, whose
// sign is masked away, have a vector instruction for the larger of two on every
// processor.
//
//===----------------------------------------------------------------------===//

#include "weights/FiniteNumbers.h"

#include "weights/FloatConversion.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

namespace llamaweights {
namespace {

// Short enough to stay in the first-level cache, long enough for vectors.
constexpr int64_t kBlock = 4096;

template <typename Bits>
Bits getLargest(const char *numbers, int64_t count, Bits mask) {
  Bits largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, numbers + i * int64_t(sizeof(bits)), sizeof(bits));
    largest = std::max(largest, Bits(bits & mask));
  }
  return largest;
}

std::string print(float value) {
  if (std::isnan(value))
    return "nan";
  return value < 0 ? "-inf" : "inf";
}

/// `infinity`: the bits of positive infinity.
template <typename Bits>
std::optional<NonFinite> find(DType type, const char *numbers, int64_t count,
                              Bits infinity) {
  auto mask = Bits(~(Bits(1) << (sizeof(Bits) * 8 - 1)));
  for (int64_t first = 0; first < count; first += kBlock) {
    int64_t here = std::min(kBlock, count - first);
    const char *block = numbers + first * int64_t(sizeof(Bits));
    if (getLargest<Bits>(block, here, mask) < infinity)
      continue;
    int64_t i = 0;
    while (getLargest<Bits>(block + i * int64_t(sizeof(Bits)), 1, mask) <
           infinity)
      ++i;
    float value = 0.0F;
    convertFloats(type, block + i * int64_t(sizeof(Bits)), DType::F32,
                  reinterpret_cast<char *>(&value), 1);
    return NonFinite{first + i, print(value)};
  }
  return std::nullopt;
}

} // namespace

std::optional<NonFinite> findNonFinite(DType type, const char *numbers,
                                       int64_t count) {
  assert((type == DType::F32 || type == DType::F16 || type == DType::BF16) &&
         "numbers with an exponent");
  if (type == DType::F32)
    return find<int32_t>(type, numbers, count, 0x7f800000);
  return find<int16_t>(type, numbers, count,
                       type == DType::F16 ? int16_t(0x7c00) : int16_t(0x7f80));
}

} // namespace llamaweights
