//===- AttentionStats.h - What the last layer's scores say ------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_SAMPLER_ATTENTIONSTATS_H
#define LLAMA_RUNTIME_SAMPLER_ATTENTIONSTATS_H

#include "runtime/Sampler/Sampler.h"

namespace llamart {

/// Of P = softmax(scores) per head:
///   entropy              mean over heads of -sum P log2 P
///   varentropy           population variance of those over heads
///   agreement            mean over heads and keys of |P - mean over heads of
///   P| interactionStrength  mean over heads and keys of |score|
/// `slots` 0: over the keys there are. Otherwise as if the sequence had so many
/// keys, those beyond its length with a score of 0, and log2 of no less than
/// 1e-10: what entropix computes over its cache of 4096. In closed form.
AttentionStats computeAttention(const AttentionScores &scores, int64_t slots);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_ATTENTIONSTATS_H
