//===- FloatConversion.cpp - f16, bf16 and f32 by their bits --------------===//
//
// One loop for each pair of types, by way of f32. No pair rounds twice: of two
// different 16-bit types, the step to f32 is exact.
//
//===----------------------------------------------------------------------===//

#include "weights/FloatConversion.h"

#include "llvm/Support/ErrorHandling.h"

#include <cassert>
#include <cstring>

namespace llamaweights {
namespace {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian and rows are copied as they are");

struct F32 {
  using Bits = uint32_t;
  static float load(Bits bits) { return std::bit_cast<float>(bits); }
  static Bits store(float value) { return std::bit_cast<Bits>(value); }
};
struct F16 {
  using Bits = uint16_t;
  static float load(Bits bits) { return halfToFloat(bits); }
  static Bits store(float value) { return floatToHalf(value); }
};
struct BF16 {
  using Bits = uint16_t;
  static float load(Bits bits) { return bfloat16ToFloat(bits); }
  static Bits store(float value) { return floatToBFloat16(value); }
};

struct I8 {
  using Bits = uint8_t;
  static float load(Bits bits) { return float(int8_t(bits)); }
};

template <typename From, typename To>
void convert(const char *__restrict in, char *__restrict out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    typename From::Bits source;
    std::memcpy(&source, in + i * int64_t(sizeof(source)), sizeof(source));
    typename To::Bits result = To::store(From::load(source));
    std::memcpy(out + i * int64_t(sizeof(result)), &result, sizeof(result));
  }
}

template <typename From>
void convertFrom(const char *in, DType to, char *out, int64_t count) {
  switch (to) {
  case DType::F32:
    return convert<From, F32>(in, out, count);
  case DType::F16:
    return convert<From, F16>(in, out, count);
  case DType::BF16:
    return convert<From, BF16>(in, out, count);
  default:
    llvm_unreachable("rows are converted to plain types only");
  }
}

} // namespace

void convertFloats(DType from, const char *in, DType to, char *out,
                   int64_t count) {
  assert(!isQuantized(from) && !isQuantized(to) && "plain types only");
  if (from == to) {
    std::memcpy(out, in, size_t(count * getBlockBytes(from)));
    return;
  }
  switch (from) {
  case DType::F32:
    return convertFrom<F32>(in, to, out, count);
  case DType::F16:
    return convertFrom<F16>(in, to, out, count);
  case DType::BF16:
    return convertFrom<BF16>(in, to, out, count);
  case DType::I8:
    return convertFrom<I8>(in, to, out, count);
  default:
    llvm_unreachable("a plain type");
  }
}

} // namespace llamaweights
