//===- BackgroundSequences.h - Others in the same forward calls -*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_BACKGROUNDSEQUENCES_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_BACKGROUNDSEQUENCES_H

#include "llamart/llamart.hpp"

#include <cstdint>
#include <vector>

namespace llamart::tools {

/// Sequences that run as long as the main one, greedily. They change nothing
/// about it, which is what they are for: tests of that.
class BackgroundSequences {
public:
  /// `mainTokens` counts what the main sequence has generated.
  BackgroundSequences(api::Engine &engine,
                      const std::vector<std::vector<int32_t>> &prompts,
                      const int64_t &mainTokens);

  void addJobs(std::vector<api::Job> &jobs);

private:
  const int64_t &mainTokens;
  api::Sampler greedy = api::Sampler::greedy();
  const std::vector<std::vector<int32_t>> &prompts;
  std::vector<api::Session> sessions;
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_BACKGROUNDSEQUENCES_H
