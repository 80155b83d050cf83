//===- Philox.h - Random numbers that are a function of a counter -*- C++ -*-=//
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy
// as 1, 2, 3", SC 2011). A draw depends on (seed, sequence, position, index)
// and on nothing that was drawn before.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_PHILOX_H
#define LLAMA_RUNTIME_SAMPLER_PHILOX_H

#include <array>
#include <cstdint>

namespace llamart {

/// The four random words of a 128-bit counter under a 64-bit key.
using PhiloxWords = std::array<uint32_t, 4>;
PhiloxWords philox4x32(PhiloxWords counter, std::array<uint32_t, 2> key);

/// The random numbers of one step of one sequence.
struct StepRandom {
  uint64_t seed = 0;
  uint64_t sequence = 0;
  uint32_t position = 0;

  /// Draw number `index` of this step: uniform in [0, 1), 53 bits.
  double uniform(uint32_t index = 0) const;

  /// The 128 bits that a counter gives.
  PhiloxWords words(uint32_t index) const;

  /// Of kBlock numbers, `stride` from each other: result[w][i] is word w of
  /// number first + i * stride.
  static constexpr uint32_t kBlock = 64;
  using WordsOfBlock = std::array<std::array<uint32_t, kBlock>, 4>;
  void fillBlock(uint32_t first, uint32_t stride, WordsOfBlock &result) const;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_PHILOX_H
