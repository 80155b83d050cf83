//===- BranchFreeMath.h - Functions a loop can be made of -------*- C++ -*-===//
//
// exp, log and cos in double precision as straight-line code, so that a loop
// over them becomes vector code. Only additions, multiplications, divisions and
// what can be done with bits: the same result on every machine, as long as none
// are fused (see CMakeLists.txt).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_BRANCHFREEMATH_H
#define LLAMA_RUNTIME_SAMPLER_BRANCHFREEMATH_H

#include <bit>
#include <cstdint>
#include <numbers>

// The same source for wider vectors, chosen when the program is loaded.
#if defined(__x86_64__)
#define LLAMA_VECTOR_CLONES                                                    \
  __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LLAMA_VECTOR_CLONES
#endif

// A call in a loop would keep it from becoming vector code.
#define LLAMA_ALWAYS_INLINE __attribute__((always_inline)) inline

namespace llamart {

inline constexpr double kLn2High = 0x1.62e42feep-1; // 32 bits: exact if scaled
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
// Adding it leaves a whole number in the low bits.
inline constexpr double kRoundingShift = 0x1.8p52;

/// exp(x) for x <= 0: x = n ln 2 + r, a Taylor series for r in
/// [-ln 2 / 2, ln 2 / 2] (the term after the last is below 5e-18), times 2^n.
/// To 2 units in the last place; 0 below -708 and for a NaN.
LLAMA_ALWAYS_INLINE double expOfNegative(double x) {
  constexpr double kLog2E = 0x1.71547652b82fep+0;
  constexpr double kSmallest = -708.0; // above the subnormal results
  double clamped = x > kSmallest ? x : kSmallest;
  double rounded = clamped * kLog2E + kRoundingShift;
  double n = rounded - kRoundingShift;
  double r = (clamped - n * kLn2High) - n * kLn2Low;
  double sum = 1.0 / 6227020800; // 1 / 13!
  sum = sum * r + 1.0 / 479001600;
  sum = sum * r + 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  uint64_t exponent = std::bit_cast<uint64_t>(rounded) << 52;
  double result =
      std::bit_cast<double>(std::bit_cast<uint64_t>(sum) + exponent);
  return x >= kSmallest ? result : 0.0; // NaN: 0
}

/// ln x for normal x > 0: x = 2^n m with m in [sqrt(1/2), sqrt(2)), and
/// ln m = 2 artanh(s), s = (m - 1) / (m + 1), a Taylor series (the term after
/// the last is below 1e-18 of the first). To 3 units in the last place.
LLAMA_ALWAYS_INLINE double logOfPositive(double x) {
  constexpr uint64_t kRootHalf = 0x3fe6a09e667f3bcd; // bits of sqrt(1/2)
  constexpr uint64_t kShift = 0x4338000000000000;    // of kRoundingShift
  auto bits = std::bit_cast<uint64_t>(x);
  int64_t n = static_cast<int64_t>(bits - kRootHalf) >> 52;
  double m = std::bit_cast<double>(bits - (static_cast<uint64_t>(n) << 52));
  double exponent =
      std::bit_cast<double>(kShift + static_cast<uint64_t>(n)) - kRoundingShift;
  double s = (m - 1.0) / (m + 1.0), z = s * s;
  double sum = 2.0 / 21;
  sum = sum * z + 2.0 / 19;
  sum = sum * z + 2.0 / 17;
  sum = sum * z + 2.0 / 15;
  sum = sum * z + 2.0 / 13;
  sum = sum * z + 2.0 / 11;
  sum = sum * z + 2.0 / 9;
  sum = sum * z + 2.0 / 7;
  sum = sum * z + 2.0 / 5;
  sum = sum * z + 2.0 / 3;
  return exponent * kLn2High + (s * 2.0 + (s * z * sum + exponent * kLn2Low));
}

/// cos(2 pi t) for t in [0, 1]: the sine of a quarter turn less the distance to
/// the nearest whole turn, a Taylor series (the term after the last is below
/// 2e-18). To 3e-16.
LLAMA_ALWAYS_INLINE double cosOfTurns(double t) {
  double distance = t - ((t + kRoundingShift) - kRoundingShift);
  distance = distance < 0.0 ? -distance : distance;
  double x = 2 * std::numbers::pi * (0.25 - distance), z = x * x;
  double sum = 1.0 / 51090942171709440000.0; // 1 / 21!
  sum = sum * z - 1.0 / 121645100408832000.0;
  sum = sum * z + 1.0 / 355687428096000.0;
  sum = sum * z - 1.0 / 1307674368000.0;
  sum = sum * z + 1.0 / 6227020800.0;
  sum = sum * z - 1.0 / 39916800;
  sum = sum * z + 1.0 / 362880;
  sum = sum * z - 1.0 / 5040;
  sum = sum * z + 1.0 / 120;
  sum = sum * z - 1.0 / 6;
  return x + x * z * sum;
}

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_BRANCHFREEMATH_H
