//===- Branches.h - One text from each of the best first tokens -*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_BRANCHES_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_BRANCHES_H

#include "llamart/llamart.hpp"
#include "runtime/tools/generate/GenerateOptions.h"

#include <cstdint>
#include <vector>

namespace llamart::tools {

/// Goes on from each of the --branches most probable tokens after the prompt,
/// in forks of one cache, and prints the texts.
void growBranches(const api::Model &model, api::Engine &engine,
                  const api::Sampler &sampler, const GenerateOptions &options,
                  const std::vector<int32_t> &prompt);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_BRANCHES_H
