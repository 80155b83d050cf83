//===- GenerateOptions.h - The command line of llama-generate ---*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_GENERATEOPTIONS_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_GENERATEOPTIONS_H

#include "llamart/llamart.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llamart::tools {

struct GenerateOptions {
  std::string model;
  // One of the three, but in an interactive chat.
  std::optional<std::string> prompt, promptFile;
  std::optional<std::vector<int32_t>> promptIds;

  std::optional<std::string> system, logits;
  std::optional<std::string> chatTemplate, date; ///< of the chat
  std::optional<std::string> reply;              ///< that the guard judges
  bool guard = false;
  int branches = 1;
  bool chat = false, special = false, ignoreEos = false, printIds = false;
  bool verbose = false, quiet = false;
  int64_t maxTokens = -1; ///< -1: no bound
  std::vector<std::string> stops;
  std::vector<std::vector<int32_t>> concurrentIds;
  std::string samplerConfig; ///< JSON: what files and flags say of the sampler
  std::optional<std::string> trace;
  /// Whether the prompt is shown before what follows; absent: on a terminal.
  std::optional<bool> echo;
  std::string color = "never"; ///< auto, always, never
  llamart_model_options load = LLAMART_MODEL_OPTIONS;
  llamart_sampler_options sampling = LLAMART_SAMPLER_OPTIONS;
  llamart_engine_options engine = LLAMART_ENGINE_OPTIONS;
};

/// Reads the command line. Returns the exit code if there is nothing to run:
/// help or the version was asked for, or the usage was wrong, and said so.
std::optional<int> readCommandLine(int argc, char **argv,
                                   GenerateOptions &options);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_GENERATEOPTIONS_H
