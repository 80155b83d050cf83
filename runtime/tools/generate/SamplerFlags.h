//===- SamplerFlags.h - The sampler on a command line -----------*- C++ -*-===//
//
// --temp=0.7 --top-k=40             =>  {"temperature": 0.7, "top_k": 40}
// --sampler-config=FILE.json           its keys, below those of the flags
// --sampler-option=low_entropy=0.2     any key of any sampler
//
// Flags of the standard chain have llama.cpp's names.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_SAMPLERFLAGS_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_SAMPLERFLAGS_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace llamart::tools {

class SamplerFlags {
public:
  /// Adds the options; the app must not outlive this object.
  void add(CLI::App &app);

  /// The configuration, and LLAMART_SAMPLER_GREEDY in `kind` if nothing asks
  /// for another sampler. Throws CLI::ValidationError for wrong usage,
  /// std::runtime_error for a file that cannot be read.
  std::string makeConfig(int32_t &kind) const;

private:
  void addNumbers(CLI::App &app);
  void addTexts(CLI::App &app);

  std::map<std::string, double> numbers; ///< by key
  std::optional<uint64_t> seed;
  std::optional<std::string> sampler, mode, configFile, steps, sequence;
  std::vector<std::string> options, biases, breakers;
};

/// The thresholds between the states of an entropy sampler after the
/// configuration, as a JSON object; "null" for other samplers.
std::string getThresholds(const std::string &config);

/// What --help-samplers prints: the samplers, their options and defaults.
std::string describeSamplers();

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_SAMPLERFLAGS_H
