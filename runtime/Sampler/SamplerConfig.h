//===- SamplerConfig.h - Samplers from JSON ---------------------*- C++ -*-===//
//
// {"sampler": "standard", "top_k": 40, "temperature": 0.8}  =>  a Sampler
//
// Keys are the names of the samplers' options; a key that its sampler does not
// have is an error. Options that are texts, DRY's breakers and the clarifying
// token, need the model's tokenizer.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_SAMPLERCONFIG_H
#define LLAMA_RUNTIME_SAMPLER_SAMPLERCONFIG_H

#include "runtime/Sampler/Sampler.h"
#include "runtime/Text/Tokenizer/Tokenizer.h"

#include <memory>
#include <string>
#include <string_view>

namespace llamart {

/// What a configuration is laid over.
struct SamplerBase {
  std::string sampler = "standard"; ///< unless the configuration names another
  SamplerOptions standard; ///< of the standard sampler; its seed of all
  const Tokenizer *tokenizer = nullptr;
};

/// Throws Error (Argument) with the key that is wrong.
std::shared_ptr<const Sampler> createSampler(std::string_view json,
                                             const SamplerBase &base);

/// The standard sampler's options after the configuration.
SamplerOptions readStandardOptions(std::string_view json,
                                   const SamplerBase &base);

/// Names for "sampler", separated by commas.
std::string listSamplers();

/// Where a text may end a repetition for DRY: at each token that holds it, and
/// at each that ends with a part of it if the tokens of the rest follow.
std::vector<DryBreaker> findBreakers(const Tokenizer &tokenizer,
                                     std::string_view text);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_SAMPLERCONFIG_H
