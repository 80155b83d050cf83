//===- Quality.h - How well a model predicts a text -------------*- C++ -*-===//
//
// models and a text  =>  perplexity of each, and how far the distributions of
//                        each are from those of a reference
//
// The text is cut into chunks of the context's length. Each begins with what
// the tokenizer puts before a text, if it does, and every later token of it is
// predicted from those before it; so the first token of a text is predicted
// only by models with a bos token.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_QUALITY_H
#define LLAMA_RUNTIME_TOOLS_QUALITY_H

#include "llamart/llamart.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct QualityOptions {
  std::vector<std::string> models;
  std::optional<std::string> reference;
  std::string text;               ///< a file's name
  std::optional<int64_t> context; ///< tokens of a chunk; at least 2
  bool json = false, quiet = false;
  llamart_engine_options engine = LLAMART_ENGINE_OPTIONS;
};

/// softmax of a row of logits, in double precision.
class Prediction {
public:
  /// What comes of the row is valid until the next one.
  void set(std::span<const float> logits);

  /// Whether they were numbers, minus infinity among them, but not all.
  bool isValid() const;

  /// -ln of a token's probability.
  double getSurprise(int32_t id) const;

  /// The most probable token, the lowest id if equal.
  int32_t getBest() const { return best; }

  /// sum over tokens of p ln(p / q), in nats, q being the other's
  /// probabilities. 0 ln 0 is 0.
  double getDivergence(const Prediction &other) const;

private:
  std::span<const float> logits;
  std::vector<double> weights; ///< e^(logit - largest)
  double total = 0.0, largest = 0.0;
  int32_t best = 0;
};

/// The value below which that share of `sorted` lies; between two of them in
/// proportion. `sorted` must not be empty.
double getQuantile(std::span<const double> sorted, double share);

/// Measures and prints. Throws what std::exception says in one line.
void measureQuality(const QualityOptions &options);

#endif // LLAMA_RUNTIME_TOOLS_QUALITY_H
