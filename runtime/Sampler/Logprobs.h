//===- Logprobs.h - Log-probabilities and ranks of tokens -------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_SAMPLER_LOGPROBS_H
#define LLAMA_RUNTIME_SAMPLER_LOGPROBS_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace llamart {

struct TokenLogprob {
  int32_t id = 0;
  int32_t rank = 0;     ///< ids that are more probable; of equals, lower ones
  double logprob = 0.0; ///< ln softmax(logits)[id]
};

/// A row of logits, [vocab], looked at in double precision. A NaN counts as
/// minus infinity; where there are infinite ones, they share everything.
class Logprobs {
public:
  explicit Logprobs(std::span<const float> logits);

  /// Throws Error(Argument) if the id is out of range.
  TokenLogprob get(int32_t id) const;

  /// The most probable ones, `count` or all.
  std::vector<TokenLogprob> getTop(size_t count) const;

private:
  double getLogprob(int32_t id) const;
  bool isBefore(int32_t a, int32_t b) const;

  std::span<const float> logits;
  double largest, logSum; // of all, of exp(logits - largest)
};

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_LOGPROBS_H
