//===- Speed.h - How fast a model runs --------------------------*- C++ -*-===//
//
// A machine's bounds, then a model's prompts and decoding compared with them:
//
//   bytes       of weights, all of which a forward call reads once, but the
//               embeddings, if they are not the output matrix too
//   operations  2 for every weight of a matrix and token, the output matrix
//               only for tokens whose logits are wanted; 4 * layers * heads *
//               head size for every pair of a token and one it attends to
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_SPEED_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_SPEED_H

#include "llamart/llamart.hpp"
#include "runtime/Engine/Profile.h"
#include "runtime/tools/measure/ComputePeak.h"
#include "runtime/tools/measure/ReadBandwidth.h"
#include "runtime/tools/measure/ReadDrift.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llamart::tools {

/// Bytes and operations are printed in billions.
inline constexpr double kGiga = 1e9;

struct SpeedOptions {
  std::string model, load = "map";
  std::string profile;          ///< "", "ops" or "layers"
  std::vector<int64_t> prompts; ///< lengths; empty: the usual one
  std::vector<int64_t> batches = {1};
  std::optional<int64_t> decode; ///< tokens after each prompt
  int repetitions = 5;
  bool json = false, quiet = false;
  llamart_engine_options engine = LLAMART_ENGINE_OPTIONS;
};

/// What one forward call costs, from what a model says about itself.
struct Costs {
  uint64_t bytesPerCall = 0;         ///< of weights
  double layerWeights = 0;           ///< elements of the layers' matrices
  double outputWeights = 0;          ///< elements of the output matrix
  double attentionPerPair = 0;       ///< operations
  Operands operands = Operands::F32; ///< the smallest that it multiplies

  explicit Costs(const api::Model &model);

  /// Of `tokens` more tokens after `before` ones, logits of `rows` of them.
  double getOperations(int64_t before, int64_t tokens, int64_t rows) const;
};

/// Tokens per second of several runs.
class Rates {
public:
  using Clock = std::chrono::steady_clock;
  void add(int64_t tokens, Clock::time_point start);
  double getMedian() const;
  double getLeast() const;
  double getMost() const;
  /// Of all runs.
  double getSeconds() const { return seconds; }

private:
  double seconds = 0;
  std::vector<double> runs;
};

/// One line: a prompt of some length, or sequences that decode after it.
struct Measured {
  int64_t prompt = 0;
  int64_t decode = 0; ///< tokens of each sequence; 0: the prompt is measured
  int64_t batch = 1;  ///< sequences
  double bytes = 0, operations = 0; ///< of the whole
  Rates rates;
  std::shared_ptr<Profile> profile; ///< of all runs, if asked for

  int64_t getTokens() const { return decode ? decode * batch : prompt; }
  double getSeconds() const { return double(getTokens()) / rates.getMedian(); }
  double getBytesPerSecond() const { return bytes / getSeconds(); }
  double getOperationsPerSecond() const { return operations / getSeconds(); }
};

struct Speed {
  int32_t threads = 0;
  Costs costs;
  std::vector<ReadBandwidth> reads;
  std::vector<ComputePeak> peaks;
  std::vector<Measured> prompts, decodes;
  ReadDrift drift;      ///< of the measurement that is kept, the last one
  int measurements = 0; ///< how many there were; more than one: noise

  const ReadBandwidth &getBestRead() const;
  /// The fastest unit whose operands are no smaller than the model's: what
  /// bounds its products.
  const ComputePeak &getBestPeak() const;
};

/// Measures again where reads before and after differ, and says so on standard
/// error unless `quiet`. Throws std::runtime_error if the lengths do not fit the
/// model's context.
Speed measureSpeed(const SpeedOptions &options);

/// On standard output.
void printSpeed(const SpeedOptions &options, const Speed &speed);
void printSpeedJson(const SpeedOptions &options, const Speed &speed);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_SPEED_H
