//===- Philox.cpp - Random numbers that are a function of a counter -------===//

#include "runtime/Sampler/Philox.h"

#include "runtime/Sampler/BranchFreeMath.h"

namespace llamart {
namespace {

constexpr int kRounds = 10;

struct Key {
  uint32_t k0, k1;

  void advance() {
    constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
};

/// One round on words that are in four places.
LLAMA_ALWAYS_INLINE void doRound(uint32_t &c0, uint32_t &c1, uint32_t &c2,
                                 uint32_t &c3, const Key &key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  uint64_t product0 = kMultiplier0 * c0;
  uint64_t product1 = kMultiplier1 * c2;
  c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ key.k0;
  c1 = static_cast<uint32_t>(product1);
  c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ key.k1;
  c3 = static_cast<uint32_t>(product0);
}

LLAMA_VECTOR_CLONES void doBlock(StepRandom::WordsOfBlock &words, Key key) {
  for (int round = 0; round < kRounds; ++round) {
    for (uint32_t i = 0; i < StepRandom::kBlock; ++i)
      doRound(words[0][i], words[1][i], words[2][i], words[3][i], key);
    key.advance();
  }
}

} // namespace

PhiloxWords philox4x32(PhiloxWords counter, std::array<uint32_t, 2> given) {
  Key key = {given[0], given[1]};
  for (int round = 0; round < kRounds; ++round) {
    doRound(counter[0], counter[1], counter[2], counter[3], key);
    key.advance();
  }
  return counter;
}

PhiloxWords StepRandom::words(uint32_t index) const {
  return philox4x32(
      {index, position, static_cast<uint32_t>(sequence),
       static_cast<uint32_t>(sequence >> 32)},
      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

void StepRandom::fillBlock(uint32_t first, uint32_t stride,
                           WordsOfBlock &result) const {
  for (uint32_t i = 0; i < kBlock; ++i)
    result[0][i] = first + i * stride;
  result[1].fill(position);
  result[2].fill(static_cast<uint32_t>(sequence));
  result[3].fill(static_cast<uint32_t>(sequence >> 32));
  doBlock(result,
          {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

double StepRandom::uniform(uint32_t index) const {
  PhiloxWords random = words(index);
  uint64_t bits = (uint64_t(random[0]) << 32 | random[1]) >> 11; // 53 of them
  return static_cast<double>(bits) * 0x1p-53;
}

} // namespace llamart
