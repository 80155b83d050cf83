//===- ComputeUnits.cpp - What a CPU can multiply and add with ------------===//

#include "runtime/tools/measure/ComputeUnits.h"

#include "runtime/Model/CpuFeatures.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#define LLAMA_TARGET(features) __attribute__((target(features)))
#endif

namespace llamart::tools {
namespace {

// Sums that grow independently: more than latency times throughput, few enough
// for the registers.
constexpr int kSums = 12;

/// Unknown to the compiler, so that nothing is computed beforehand.
float hide(float value) {
  volatile float hidden = value;
  return hidden;
}

/// On every machine. The sum is what is multiplied, so that no product can be
/// computed beforehand.
double runPortable(uint64_t rounds) {
  using Vector = float __attribute__((vector_size(16)));
  Vector sums[kSums];
  Vector a = {}, b = {};
  a += hide(0.5f);
  b += hide(0.25f);
  for (int i = 0; i < kSums; ++i)
    sums[i] = a * float(i);
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kSums; ++i)
      sums[i] = sums[i] * a + b;
  }
  double total = 0.0;
  for (Vector sum : sums)
    total += sum[0];
  return total;
}

#if defined(__x86_64__)

LLAMA_TARGET("avx2,fma") double runFma256(uint64_t rounds) {
  __m256 sums[kSums];
  __m256 a = _mm256_set1_ps(hide(0.5f)), b = _mm256_set1_ps(hide(0.25f));
  for (int i = 0; i < kSums; ++i)
    sums[i] = _mm256_set1_ps(float(i));
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kSums; ++i)
      sums[i] = _mm256_fmadd_ps(a, b, sums[i]);
  }
  double total = 0.0;
  for (__m256 sum : sums)
    total += sum[0];
  return total;
}

LLAMA_TARGET("avx512f") double runFma512(uint64_t rounds) {
  __m512 sums[kSums];
  __m512 a = _mm512_set1_ps(hide(0.5f)), b = _mm512_set1_ps(hide(0.25f));
  for (int i = 0; i < kSums; ++i)
    sums[i] = _mm512_set1_ps(float(i));
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kSums; ++i)
      sums[i] = _mm512_fmadd_ps(a, b, sums[i]);
  }
  double total = 0.0;
  for (__m512 sum : sums)
    total += sum[0];
  return total;
}

LLAMA_TARGET("avx512f,avx512bf16") double runDotBF16(uint64_t rounds) {
  __m512 sums[kSums];
  __m512 a = _mm512_set1_ps(hide(0.5f)), b = _mm512_set1_ps(hide(0.25f));
  __m512bh x, y; // pairs of bf16
  std::memcpy(&x, &a, sizeof(x));
  std::memcpy(&y, &b, sizeof(y));
  for (int i = 0; i < kSums; ++i)
    sums[i] = _mm512_set1_ps(float(i));
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kSums; ++i)
      sums[i] = _mm512_dpbf16_ps(sums[i], x, y);
  }
  double total = 0.0;
  for (__m512 sum : sums)
    total += sum[0];
  return total;
}

LLAMA_TARGET("avx2,avxvnni") double runDotInt8256(uint64_t rounds) {
  __m256i sums[kSums];
  __m256i a = _mm256_set1_epi8(static_cast<char>(hide(3.0f)));
  __m256i b = _mm256_set1_epi8(static_cast<char>(hide(-2.0f)));
  for (int i = 0; i < kSums; ++i)
    sums[i] = _mm256_set1_epi32(i);
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kSums; ++i)
      sums[i] = _mm256_dpbusd_avx_epi32(sums[i], a, b);
  }
  double total = 0.0;
  for (__m256i sum : sums)
    total += double(sum[0]);
  return total;
}

LLAMA_TARGET("avx512f,avx512vnni") double runDotInt8512(uint64_t rounds) {
  __m512i sums[kSums];
  __m512i a = _mm512_set1_epi32(int(hide(50529027.0f)));
  __m512i b = _mm512_set1_epi32(int(hide(16843009.0f)));
  for (int i = 0; i < kSums; ++i)
    sums[i] = _mm512_set1_epi32(i);
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kSums; ++i)
      sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
  }
  double total = 0.0;
  for (__m512i sum : sums)
    total += double(sum[0]);
  return total;
}

/// What `ldtilecfg` reads: eight tiles of 16 rows of 64 bytes.
struct TileShapes {
  alignas(64) uint8_t palette = 1;
  uint8_t startRow = 0;
  uint8_t reserved[14] = {};
  uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileShapes) == 64);

// Tiles 0 to 3 are accumulators, 4 and 5 left operands, 6 and 7 right ones.
template <Operands operands>
LLAMA_TARGET("amx-tile,amx-bf16,amx-int8")
double runTiles(uint64_t rounds) {
  constexpr bool isBF16 = operands == Operands::BF16;
  using Sum = std::conditional_t<isBF16, float, int32_t>;
  alignas(64) uint8_t zeros[16 * 64] = {};
  alignas(64) Sum sums[16 * 16];
  TileShapes shapes;
  _tile_loadconfig(&shapes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, zeros, 64);
  _tile_loadd(5, zeros, 64);
  _tile_loadd(6, zeros, 64);
  _tile_loadd(7, zeros, 64);
  for (uint64_t round = 0; round < rounds; ++round) {
    if constexpr (isBF16) {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    } else {
      _tile_dpbusd(0, 4, 6);
      _tile_dpbusd(1, 4, 7);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
  }
  _tile_stored(0, sums, 64);
  _tile_release();
  return sums[0];
}

bool hasAll(std::initializer_list<std::string_view> features) {
  return std::ranges::all_of(features, [](std::string_view name) {
    return queryCpuFeature(name) == CpuFeature::Present;
  });
}

#endif

} // namespace

std::vector<ComputeUnit> findComputeUnits() {
  std::vector<ComputeUnit> units;
#if defined(__x86_64__)
  // Lanes, products of each, a multiplication and an addition of each product.
  if (hasAll({"avx512f"}))
    units.push_back(
        {"avx512 fma f32", Operands::F32, uint64_t(kSums) * 16 * 2, runFma512});
  else if (hasAll({"avx2", "fma"}))
    units.push_back(
        {"avx2 fma f32", Operands::F32, uint64_t(kSums) * 8 * 2, runFma256});
  if (hasAll({"avx512f", "avx512bf16"}))
    units.push_back({"avx512 dot bf16", Operands::BF16,
                     uint64_t(kSums) * 16 * 2 * 2, runDotBF16});
  if (hasAll({"avx512f", "avx512vnni"}))
    units.push_back({"avx512 dot int8", Operands::Int8,
                     uint64_t(kSums) * 16 * 4 * 2, runDotInt8512});
  else if (hasAll({"avx2", "avxvnni"}))
    units.push_back({"avx2 dot int8", Operands::Int8,
                     uint64_t(kSums) * 8 * 4 * 2, runDotInt8256});
  // Four products of 16 x 16 sums, 64 bytes deep.
  if (hasAll({"amx-tile", "amx-bf16"}) && requestTiles())
    units.push_back({"amx bf16", Operands::BF16, uint64_t(4) * 16 * 16 * 32 * 2,
                     runTiles<Operands::BF16>});
  if (hasAll({"amx-tile", "amx-int8"}) && requestTiles())
    units.push_back({"amx int8", Operands::Int8, uint64_t(4) * 16 * 16 * 64 * 2,
                     runTiles<Operands::Int8>});
#endif
  if (units.empty() || units.front().operands != Operands::F32)
    units.insert(units.begin(), {"multiply, add f32", Operands::F32,
                                 uint64_t(kSums) * 4 * 2, runPortable});
  return units;
}

} // namespace llamart::tools
