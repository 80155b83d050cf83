//===- Run.h - Goes on from one prompt --------------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_RUN_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_RUN_H

#include "llamart/llamart.hpp"
#include "runtime/tools/generate/GenerateOptions.h"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace llamart::tools {

struct Times {
  using Point = std::chrono::steady_clock::time_point;
  static Point now() { return std::chrono::steady_clock::now(); }
  Point start = now(), loaded, fed, first, last;
};

/// Prints what comes after the prompt, and statistics; on a terminal also `text`,
/// which `prompt` was made of. `times` says when the
/// program started and when the model was loaded.
void continueText(const api::Model &model, api::Engine &engine,
                  const api::Sampler &sampler, const GenerateOptions &options,
                  const std::vector<int32_t> &prompt, std::string_view text,
                  const Times &times);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_RUN_H
