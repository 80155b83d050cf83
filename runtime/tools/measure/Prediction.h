//===- Prediction.h - A row of logits as probabilities ----------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_PREDICTION_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_PREDICTION_H

#include <cstdint>
#include <span>
#include <vector>

namespace llamart::tools {

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

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_PREDICTION_H
