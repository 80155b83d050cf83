//===- GammaDraws.cpp - Gamma variates, many at a time --------------------===//
//
// An attempt takes the four words of one random number and succeeds nearly
// always. First attempts are made for a block of variates at once, in loops
// without branches; those that failed are repeated one by one.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/GammaDraws.h"

#include "runtime/Sampler/BranchFreeMath.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace llamart {
namespace {

constexpr size_t kBlock = StepRandom::kBlock;

using Block = std::array<double, kBlock>;

LLAMA_ALWAYS_INLINE double toUniform(uint32_t word) {
  return (double(word) + 0.5) * 0x1p-32;
}

/// One attempt.
struct Attempt {
  double logValue;
  double succeeds; ///< 1 or 0
};

/// Below shape 1: a variate of shape + 1 times u^(1 / shape).
LLAMA_ALWAYS_INLINE Attempt attempt(double shape, double u0, double u1,
                                    double u2, double u3) {
  double larger = shape < 1.0 ? shape + 1.0 : shape;
  double d = larger - 1.0 / 3, c = 1.0 / std::sqrt(9 * d);
  double normal = std::sqrt(-2 * logOfPositive(u0)) * cosOfTurns(u1);
  double root = 1.0 + c * normal;
  double inside = root > 0.0 ? 1.0 : 0.0;
  double positive = root > 0.0 ? root : 1.0;
  double v = positive * positive * positive;
  double logV = logOfPositive(v);
  double bound = 0.5 * normal * normal + d - d * v + d * logV;
  double boost = shape < 1.0 ? logOfPositive(u3) / shape : 0.0;
  return {logOfPositive(d) + logV + boost,
          logOfPositive(u2) < bound ? inside : 0.0};
}

LLAMA_VECTOR_CLONES void attemptBlock(const Block &shapes,
                                      const StepRandom::WordsOfBlock &words,
                                      Block &result, Block &succeeds) {
  for (size_t i = 0; i < kBlock; ++i) {
    Attempt made =
        attempt(shapes[i], toUniform(words[0][i]), toUniform(words[1][i]),
                toUniform(words[2][i]), toUniform(words[3][i]));
    result[i] = made.logValue;
    succeeds[i] = made.succeeds;
  }
}

double repeat(double shape, const StepRandom &random, uint32_t index) {
  for (;; ++index) {
    PhiloxWords words = random.words(index);
    Attempt made = attempt(shape, toUniform(words[0]), toUniform(words[1]),
                           toUniform(words[2]), toUniform(words[3]));
    if (made.succeeds != 0.0)
      return made.logValue;
  }
}

} // namespace

void drawLogGammas(std::span<const double> shapes, const StepRandom &random,
                   uint32_t first, std::span<double> result) {
  StepRandom::WordsOfBlock words;
  Block in, out, succeeds;
  for (size_t at = 0; at < shapes.size(); at += kBlock) {
    size_t count = std::min(kBlock, shapes.size() - at);
    in.fill(1.0);
    std::copy_n(shapes.begin() + at, count, in.begin());
    uint32_t index = first + uint32_t(at) * kNumbersPerGamma;
    random.fillBlock(index, kNumbersPerGamma, words);
    attemptBlock(in, words, out, succeeds);
    for (size_t i = 0; i < count; ++i)
      result[at + i] = succeeds[i] != 0.0
                           ? out[i]
                           : repeat(in[i], random,
                                    index + uint32_t(i) * kNumbersPerGamma + 1);
  }
}

} // namespace llamart
