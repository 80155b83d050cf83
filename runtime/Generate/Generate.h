//===- Generate.h - Prompts to texts, several at a time ---------*- C++ -*-===//
//
// jobs: (session, prompt, sampler, when to stop)  =>  tokens and text, through
//       callbacks, as they come
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_GENERATE_GENERATE_H
#define LLAMA_RUNTIME_GENERATE_GENERATE_H

#include "runtime/Generate/Job.h"

#include <memory>
#include <vector>

namespace llamart {

/// Runs the jobs in one queue until all are finished. Throws for a job that is
/// wrong before any begins, with its number; what goes wrong later is in the
/// results.
std::vector<GenerateResult> generate(const std::shared_ptr<Engine> &engine,
                                     std::vector<GenerateJob> jobs);

} // namespace llamart

#endif // LLAMA_RUNTIME_GENERATE_GENERATE_H
