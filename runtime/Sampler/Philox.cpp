//===- Philox.cpp - Random numbers that are a function of a counter -------===//

#include "runtime/Sampler/Philox.h"

namespace llamart {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                   std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    uint64_t product0 = kMultiplier0 * counter[0];
    uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

std::array<uint32_t, 4> StepRandom::words(uint32_t index) const {
  return philox4x32(
      {index, position, static_cast<uint32_t>(sequence),
       static_cast<uint32_t>(sequence >> 32)},
      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

double StepRandom::uniform(uint32_t index) const {
  std::array<uint32_t, 4> random = words(index);
  uint64_t bits = (uint64_t(random[0]) << 32 | random[1]) >> 11; // 53 of them
  return static_cast<double>(bits) * 0x1p-53;
}

} // namespace llamart
