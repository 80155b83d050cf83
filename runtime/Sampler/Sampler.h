//===- Sampler.h - Logits to the next token ---------------------*- C++ -*-===//
//
// A Sampler is an immutable recipe, shared by sequences; what it remembers
// about one sequence is in a SamplerState. Given the same inputs it chooses the
// same token: its random numbers come from (seed, sequence, position).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_SAMPLER_H
#define LLAMA_RUNTIME_SAMPLER_SAMPLER_H

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llamart {

/// Statistics of the last layer's attention for one row; units as named.
struct AttentionStats {
  double entropy = 0.0;             ///< mean over heads, bits
  double varentropy = 0.0;          ///< bits squared
  double agreement = 0.0;           ///< mean abs(p - mean over heads of p)
  double interactionStrength = 0.0; ///< mean abs(score)
};

/// What one step gives to a sampler.
struct SampleInput {
  std::span<const float> logits;    ///< [vocab]
  std::span<const int32_t> history; ///< the sequence so far, oldest first
  size_t promptLength = 0;          ///< that many of `history` are the prompt
  uint64_t sequence = 0;            ///< names the sequence, for random numbers
  uint32_t position = 0;            ///< of the token to be chosen
  const AttentionStats *attention = nullptr; ///< if asked for
};

struct Candidate {
  int32_t id = 0;
  double probability = 0.0;
};

/// What a step looked like; filled only on request, as it costs a pass over the
/// vocabulary.
struct SampleTrace {
  double entropy = 0.0;              ///< of softmax(logits), bits
  double varentropy = 0.0;           ///< bits squared
  double probability = 0.0;          ///< of the chosen token in softmax(logits)
  std::vector<Candidate> candidates; ///< most probable first, of what was left
                                     ///< to draw from; at most 8
  std::string_view state; ///< name of the sampler's state, static text
};

/// What a sampler remembers about one sequence.
class SamplerState {
public:
  virtual ~SamplerState();
  virtual std::unique_ptr<SamplerState> clone() const = 0; ///< for a fork
};

class Sampler {
public:
  virtual ~Sampler();

  /// What a step must provide.
  virtual bool needsAttention() const { return false; }
  virtual bool needsPromptLogits() const { return false; }

  /// State of a new sequence; null if there is nothing to remember.
  virtual std::unique_ptr<SamplerState> makeState() const { return nullptr; }

  /// Shows the logits of the prompt, [rows, vocab], before the first step.
  virtual void observePrompt(std::span<const float> logits, size_t rows,
                             SamplerState *state) const;

  /// The next token. Logits may contain infinities, not only minus infinity; a
  /// NaN counts as minus infinity. `state` is what makeState returned.
  virtual int32_t sample(const SampleInput &input, SamplerState *state,
                         SampleTrace *trace = nullptr) const = 0;
};

/// The usual knobs, in the order in which they act. Values that switch a step
/// off are the defaults.
struct SamplerOptions {
  uint64_t seed = 0;

  /// 1. Penalties for tokens among the last `penaltyWindow` of the history
  /// (-1: all of it): a positive logit is divided by repeatPenalty, another one
  /// multiplied; then count * frequencyPenalty + presencePenalty is subtracted.
  float repeatPenalty = 1.0f;
  float frequencyPenalty = 0.0f;
  float presencePenalty = 0.0f;
  int32_t penaltyWindow = 64;

  int32_t topK = 0;  ///< 2. the k largest logits stay; 0: all
  float topP = 1.0f; ///< 3. the fewest tokens with that probability together
  float minP = 0.0f; ///< 4. tokens at least that probable relative to the best

  /// 5. Logits are divided by it before the draw; 0: the largest is taken.
  float temperature = 1.0f;
};

/// Always the largest logit; the lowest id if equal.
std::unique_ptr<Sampler> createGreedySampler();

/// Penalties, top-k, top-p, min-p, temperature, a draw. Temperature 0 is greedy
/// after the penalties. Throws Error (Argument) if an option is out of range.
std::unique_ptr<Sampler> createStandardSampler(const SamplerOptions &options);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_SAMPLER_H
