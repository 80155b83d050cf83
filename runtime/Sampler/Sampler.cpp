//===- Sampler.cpp - What every sampler has -------------------------------===//

#include "runtime/Sampler/Sampler.h"

namespace llamart {

SamplerState::~SamplerState() = default;

Sampler::~Sampler() = default;

void Sampler::observePrompt(std::span<const float>, size_t,
                            SamplerState *) const {}

} // namespace llamart
