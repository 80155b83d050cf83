//===- Sampler.h - Logits to the next token ---------------------*- C++ -*-===//
//
// A Sampler is an immutable recipe, shared by sequences; what it remembers
// about one sequence is in a SamplerState. Given the same inputs it chooses the
// same token: its random numbers come from (seed, sequence, position).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_SAMPLER_H
#define LLAMA_RUNTIME_SAMPLER_SAMPLER_H

#include "runtime/Sampler/Candidates.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llamart {

/// Scores of one row in the last layer, before the softmax: what its query
/// makes of every key up to its own.
struct AttentionScores {
  const float *data = nullptr; ///< [heads, stride], of which [heads, length]
  int64_t heads = 0;
  int64_t length = 0; ///< positions up to the row's own
  int64_t stride = 0;
};

/// Statistics of them; see computeAttention.
struct AttentionStats {
  double entropy = 0.0;             ///< mean over heads, bits
  double varentropy = 0.0;          ///< of the heads' entropies, bits squared
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
  AttentionScores attention;        ///< of the row of logits, if asked for
};

/// What a step looked like; filled only on request, as it costs a pass over the
/// vocabulary.
struct SampleTrace {
  size_t candidateLimit = 8;   ///< in: that many candidates at most
  double entropy = 0.0;        ///< of softmax(logits), bits
  double varentropy = 0.0;     ///< bits squared
  double probability = 0.0;    ///< of the chosen token in softmax(logits)
  Candidates candidates;       ///< the best of what was left to draw from
  std::string_view state = ""; ///< name of the sampler's state, static text
  std::optional<AttentionStats> attention;

  /// All but the state and the attention.
  void fill(std::span<const float> logits, int32_t id, const Candidates &left);
};

/// What a sampler remembers about one sequence.
class SamplerState {
public:
  virtual ~SamplerState();
  virtual std::unique_ptr<SamplerState> clone() const = 0; ///< for a fork

  /// Bytes for Sampler::loadState. Throws Error(Unsupported) if there are none.
  virtual std::string save() const = 0;
};

class Sampler {
public:
  virtual ~Sampler();

  /// What a step must provide.
  virtual bool needsAttention() const { return false; }
  virtual bool needsPromptLogits() const { return false; }

  /// State of a new sequence; null if there is nothing to remember.
  virtual std::unique_ptr<SamplerState> makeState() const { return nullptr; }

  /// A state that was saved by such a sampler. Throws Error(State) if it was
  /// not.
  virtual std::unique_ptr<SamplerState> loadState(std::string_view saved) const;

  /// Shows logits of the prompt, [rows, vocab], before the first step; in as
  /// many calls as there are, oldest rows first.
  virtual void observePrompt(std::span<const float> logits, size_t rows,
                             SamplerState *state) const;

  /// The next token. Logits may contain infinities, not only minus infinity; a
  /// NaN counts as minus infinity. `state` is what makeState returned.
  virtual int32_t sample(const SampleInput &input, SamplerState *state,
                         SampleTrace *trace = nullptr) const = 0;
};

/// A step of the standard chain.
enum class ChainStep : uint8_t {
  Penalties,
  Dry,
  TopNSigma,
  TopK,
  Typical,
  TopP,
  MinP,
  Xtc,
  Temperature,
};

/// Where DRY's repetitions end: at `token` if `tail` follows it.
struct DryBreaker {
  int32_t token = 0;
  std::vector<int32_t> tail;
};

struct LogitBias {
  int32_t id = 0;
  float bias = 0.0f; ///< minus infinity: never
};

/// The usual knobs, with llama.cpp's names and meaning, in the order in which
/// they act unless `steps` says otherwise. Every step sees only what the one
/// before it left. Values that switch a step off are the defaults.
struct SamplerOptions {
  uint64_t seed = 0;
  std::vector<LogitBias> logitBias; ///< 0. added to the logits

  /// 1. Penalties for tokens among the last `penaltyWindow` of the history
  /// (-1: all of it): a positive logit is divided by repeatPenalty, another one
  /// multiplied; then count * frequencyPenalty + presencePenalty is subtracted.
  float repeatPenalty = 1.0f;
  float frequencyPenalty = 0.0f;
  float presencePenalty = 0.0f;
  int32_t penaltyWindow = 64;

  /// 2. DRY: a token that would make the end of the history repeat n > allowed
  /// length tokens of what is in its window (-1: all of it) and has no breaker
  /// in it loses multiplier * base^(n - allowed).
  float dryMultiplier = 0.0f;
  float dryBase = 1.75f;
  int32_t dryAllowedLength = 2;
  int32_t dryWindow = -1;
  std::vector<DryBreaker> dryBreakers;

  float topNSigma = -1.0f; ///< 3. logits at most n deviations below the largest
  int32_t topK = 0;        ///< 4. the k largest logits stay; 0: all

  /// 5. The fewest tokens with more than that probability together, those first
  /// whose surprise is nearest to the entropy.
  float typicalP = 1.0f;

  float topP = 1.0f; ///< 6. the fewest tokens with that probability together
  float minP = 0.0f; ///< 7. tokens at least that probable relative to the best

  /// 8. XTC: with that probability, all tokens as probable as the threshold go
  /// but the least of them. A threshold above one half switches it off.
  float xtcProbability = 0.0f;
  float xtcThreshold = 0.1f;

  /// 9. Logits are divided by it before the draw; less than a millionth: the
  /// largest is taken. With
  /// a range: by low + (high - low) * (entropy / its maximum)^exponent, low and
  /// high being that far from the temperature.
  float temperature = 1.0f;
  float dynatempRange = 0.0f;
  float dynatempExponent = 1.0f;

  /// Mirostat 1 or 2 in place of all steps but the biases and the temperature.
  int32_t mirostat = 0;
  float mirostatTau = 5.0f; ///< the surprise aimed at, bits
  float mirostatEta = 0.1f; ///< learning rate

  std::vector<ChainStep> steps = {
      ChainStep::Penalties, ChainStep::Dry,     ChainStep::TopNSigma,
      ChainStep::TopK,      ChainStep::Typical, ChainStep::TopP,
      ChainStep::MinP,      ChainStep::Xtc,     ChainStep::Temperature};
};

/// Always the largest logit; the lowest id if equal.
std::unique_ptr<Sampler> createGreedySampler();

/// The chain above and a draw. Temperature 0 is greedy, after the penalties.
/// Throws Error (Argument) if an option is out of range.
std::unique_ptr<Sampler> createStandardSampler(const SamplerOptions &options);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_SAMPLER_H
