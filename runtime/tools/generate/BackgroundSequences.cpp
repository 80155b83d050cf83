//===- BackgroundSequences.cpp - Others in the same forward calls ---------===//

#include "runtime/tools/generate/BackgroundSequences.h"

namespace llamart::tools {

BackgroundSequences::BackgroundSequences(
    api::Engine &engine, const std::vector<std::vector<int32_t>> &prompts,
    const int64_t &mainTokens)
    : mainTokens(mainTokens), prompts(prompts) {
  sessions.reserve(prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i)
    sessions.emplace_back(engine);
}

void BackgroundSequences::addJobs(std::vector<api::Job> &jobs) {
  for (size_t i = 0; i < sessions.size(); ++i) {
    api::Job &job = jobs.emplace_back();
    job.session = &sessions[i];
    job.sampler = &greedy;
    job.prompt = prompts[i];
    job.ignoreEos = true;
    // Once it generates, the main sequence has a new token in every round.
    job.onToken = [this, seen = int64_t(0)](int32_t) mutable {
      bool ended = seen > 0 && seen == mainTokens;
      seen = mainTokens;
      return !ended;
    };
  }
}

} // namespace llamart::tools
