//===- EntropySampler.h - Chooses by how sure the model is ------*- C++ -*-===//
//
// entropix V2 ("classic"), V3 ("frog") and V4 ("engine"): entropy and
// varentropy of the logits and statistics of the last layer's attention decide
// between taking the best token, asking for clarification, drawing warm, and
// the most probable of several hot draws.
//
// Each exists twice. `exact` is what was meant: min-p acts, the nucleus is cut
// from the most probable token down, attention statistics are over the keys
// there are. `compat` has the published program's bugs: min-p without effect;
// the nucleus cut from the least probable up, so that the most probable tokens
// may go; 4096 attention slots of which the unwritten ones score 0; V2's HELV
// and HEHV thresholds swapped; V4's HELV always clarifies.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_ENTROPYSAMPLER_H
#define LLAMA_RUNTIME_SAMPLER_ENTROPYSAMPLER_H

#include "runtime/Sampler/Candidates.h"
#include "runtime/Sampler/OptionField.h"
#include "runtime/Sampler/Sampler.h"
#include "runtime/Sampler/Selector.h"

#include <memory>
#include <span>

namespace llamart {

enum class EntropixVersion : uint8_t { V2 = 2, V3 = 3, V4 = 4 };

/// Thresholds and coefficients; H entropy, V varentropy, AE and AV those of the
/// attention, AG its agreement, IS its interaction strength. Which of them act
/// depends on the version: getEntropyFields lists them.
struct EntropyOptions {
  EntropixVersion version = EntropixVersion::V2;
  bool compat = false;
  bool attention = true;     ///< false: without it, its terms zero
  int32_t clarifyToken = -1; ///< -1: the state draws instead
  uint64_t seed = 0;

  double temperature = 0.666, topP = 0.9, minP = 0.03;
  int32_t topK = 27, samples = 5, attentionSlots = 4096;

  double lowEntropy = 0.1, mediumEntropy = 3.0, highEntropy = 5.0;
  double lowVarentropy = 0.1, highVarentropy = 5.0;
  double lowAttentionEntropy = 0, highAttentionEntropy = 0;
  double lowAttentionVarentropy = 0, highAttentionVarentropy = 0;
  double lowAgreement = 0, highAgreement = 0;
  double lowInteraction = 0, highInteraction = 0;

  // T * (offset + coefficient * AE), IS, AV in the states with those names.
  double helvOffset = 1.3, helvCoefficient = 0.2;
  double lehvOffset = 1.2, lehvCoefficient = 0.3, lehvTopK = 0.5;
  double hehvOffset = 2.0, hehvCoefficient = 0.5, hehvTopP = 0.2;

  double adaptiveEntropy = 0.3, adaptiveAttention = 0.2,
         adaptiveAgreement = 0.2, adaptiveTopP = 0.1,
         adaptiveTopKInteraction = 0.3, adaptiveTopKAgreement = 0.2,
         adaptiveMinP = 0.5;
  double targetAlpha = 1.2, targetBeta = 2.0; ///< V4's adaptive temperature
};

/// With the published defaults.
EntropyOptions getEntropyDefaults(EntropixVersion version);

/// The numbers that a version heeds.
std::span<const OptionField<EntropyOptions>>
getEntropyFields(EntropixVersion version);

/// What the rules look at.
struct EntropyMetrics {
  double entropy = 0, varentropy = 0; ///< bits
  AttentionStats attention;
};

enum class EntropyState : uint8_t { LELV, HELV, LEHV, HEHV, Adaptive };
const char *getName(EntropyState state);

/// The first state whose conditions hold.
EntropyState findState(const EntropyMetrics &metrics,
                       const EntropyOptions &options);

/// Parameters of a draw.
struct DrawOptions {
  double temperature = 1, topP = 1, minP = 0;
  int32_t topK = 1;
};
DrawOptions getDrawOptions(EntropyState state, const EntropyMetrics &metrics,
                           const EntropyOptions &options);

/// The distribution of a draw. Probabilities at the temperature; then
///   exact   tokens below minP of the best go, the rest is normalized; the topK
///           largest; from the largest down, a token goes if those before it
///           have more than topP together
///   compat  the topK largest; from the smallest up, a token goes if those
///           before it have more than topP together
class EntropyChain {
public:
  const Candidates &run(std::span<const float> logits, const DrawOptions &draw,
                        const EntropyOptions &options);

private:
  void takeLast(std::span<const float> logits, size_t count);

  Selector selector;
  std::vector<double> weights;
  std::vector<uint32_t> order;
  Candidates candidates;
};

/// Throws Error (Argument) if an option is out of range.
std::unique_ptr<Sampler> createEntropySampler(const EntropyOptions &options);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_ENTROPYSAMPLER_H
