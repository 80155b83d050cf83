//===- FakeModel.h - What a fake model computes -----------------*- C++ -*-===//
//
// A model.so without a network: its logits are a hash of all tokens of the
// sequence, their row flags and some weights. fake-model.cpp computes it
// through the KV cache, in parallel; getFakeLogit from the sequence itself.
// They agree only if blocks, positions, flags, barriers and weights all arrive
// intact.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_RUNTIME_FAKEMODEL_H
#define LLAMA_TEST_RUNTIME_FAKEMODEL_H

#include <cstdint>

namespace fakemodel {

constexpr int64_t kVocab = 264, kLayers = 2, kKVHeads = 2, kHeadDim = 4;
constexpr int64_t kContext = 512;

/// Ids below 256 are that byte.
enum Token : int32_t {
  kBos = 256,
  kEos = 257,
  kTurnEnd = 258,
  kTurnStart = 259
};

constexpr uint64_t mix(uint64_t x) {
  x = (x ^ x >> 31) * 0x7FB5D329728EA185ULL;
  x = (x ^ x >> 27) * 0x81DADEF4BC2DD44DULL;
  return x ^ x >> 33;
}

/// The weights are an array of 32-bit words; a token reads one of them.
constexpr uint32_t getWeight(uint64_t word) { return mix(word + 99) >> 20; }
constexpr uint64_t getWeightWord(int32_t token, uint64_t words) {
  return token * (words / kVocab);
}

/// A sequence is hashed from its first token on, beginning with kHashStart.
constexpr uint64_t kHashStart = 0xF00D;
constexpr uint64_t addToHash(uint64_t hash, int32_t token, int32_t flags,
                             uint32_t weight) {
  return mix(hash ^ (uint64_t(token) << 40 | uint64_t(flags) << 32 | weight));
}

/// In [-4, 4), exact.
constexpr float getLogit(uint64_t hash, int64_t id) {
  return float(mix(hash + id) >> 40) / (1 << 21) - 4.0f;
}

constexpr int64_t kHeads = 4;
/// Of a key's token, in [-2, 2), exact.
constexpr float getScore(int32_t token, int64_t head) {
  return float(mix(uint64_t(token) * kHeads + head) >> 56) / 64 - 2.0f;
}

/// Counts forward calls; exported as fake_calls.
struct Calls {
  int64_t count;    // of all calls
  int64_t rows[64]; // of the first calls
  int64_t sequences[64];
};

} // namespace fakemodel

#endif // LLAMA_TEST_RUNTIME_FAKEMODEL_H
