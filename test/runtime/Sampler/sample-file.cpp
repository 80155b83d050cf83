//===- sample-file.cpp - The samplers, for tests in other languages -------===//
//
// One JSON object a line on stdin, one on stdout:
//
//   {"bits": [...], "history": [...], "seed": 0, "sequence": 0, "steps": 1,
//    "repeat_penalty": 1, "frequency_penalty": 0, "presence_penalty": 0,
//    "penalty_window": 64, "top_k": 0, "top_p": 1, "min_p": 0, "temperature":
//    1}
//   =>  {"ids": [...], "probabilities": [...], "tokens": [...], "entropy": ...,
//        "varentropy": ..., "probability": ..., "candidates": [[id, p], ...]}
//
// `bits` are the bits of the logits as unsigned numbers. `ids` and
// `probabilities` are what is drawn from (absent at temperature 0); `tokens`
// has one draw for each position from 0 to steps - 1; the rest is the last
// step's trace.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/StandardSampler.h"

#include <nlohmann/json.hpp>

#include <bit>
#include <exception>
#include <iostream>
#include <string>

using namespace llamart;
using nlohmann::json;

static SamplerOptions readOptions(const json &request) {
  SamplerOptions options;
  options.seed = request.value("seed", options.seed);
  options.repeatPenalty = request.value("repeat_penalty", 1.0f);
  options.frequencyPenalty = request.value("frequency_penalty", 0.0f);
  options.presencePenalty = request.value("presence_penalty", 0.0f);
  options.penaltyWindow = request.value("penalty_window", 64);
  options.topK = request.value("top_k", 0);
  options.topP = request.value("top_p", 1.0f);
  options.minP = request.value("min_p", 0.0f);
  options.temperature = request.value("temperature", 1.0f);
  return options;
}

static void addDistribution(const SampleInput &input,
                            const SamplerOptions &options, json &result) {
  std::vector<float> logits(input.logits.begin(), input.logits.end());
  applyPenalties(input, options, logits);
  ChoiceMaker maker;
  const Choices &choices = maker.make(logits, options);
  double total = sumWeights(choices.weights);
  result["ids"] = json::array();
  result["probabilities"] = json::array();
  for (size_t i = 0; i < choices.weights.size(); ++i) {
    result["ids"].push_back(choices.getId(i));
    result["probabilities"].push_back(choices.weights[i] / total);
  }
}

static json answer(const json &request) {
  std::vector<float> logits;
  for (uint32_t bits : request["bits"])
    logits.push_back(std::bit_cast<float>(bits));
  auto history = request.value("history", std::vector<int32_t>());
  SamplerOptions options = readOptions(request);
  auto sampler = createStandardSampler(options);
  SampleInput input;
  input.logits = logits;
  input.history = history;
  input.sequence = request.value("sequence", uint64_t(0));
  json result;
  if (options.temperature > 0)
    addDistribution(input, options, result);
  SampleTrace trace;
  auto steps = request.value("steps", uint32_t(1));
  for (uint32_t step = 0; step < steps; ++step) {
    input.position = step;
    result["tokens"].push_back(
        sampler->sample(input, nullptr, step + 1 == steps ? &trace : nullptr));
  }
  result["entropy"] = trace.entropy;
  result["varentropy"] = trace.varentropy;
  result["probability"] = trace.probability;
  for (const Candidate &candidate : trace.candidates)
    result["candidates"].push_back({candidate.id, candidate.probability});
  return result;
}

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    json result;
    try {
      result = answer(json::parse(line));
    } catch (const std::exception &error) {
      result = {{"error", error.what()}};
    }
    std::cout << result.dump() << '\n';
  }
  return 0;
}
