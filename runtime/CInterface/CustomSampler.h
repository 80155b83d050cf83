//===- CustomSampler.h - A sampler of the application -----------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_CINTERFACE_CUSTOMSAMPLER_H
#define LLAMA_RUNTIME_CINTERFACE_CUSTOMSAMPLER_H

#include "runtime/Sampler/Sampler.h"
#include "runtime/include/llamart/samplers.h"

#include <memory>

namespace llamart {

/// Throws Error(Argument) where functions are missing.
std::shared_ptr<const Sampler>
createCustomSampler(const llamart_custom_sampler &functions);

} // namespace llamart

#endif // LLAMA_RUNTIME_CINTERFACE_CUSTOMSAMPLER_H
