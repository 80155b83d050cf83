//===- sample-file.cpp - The samplers, for tests in other languages -------===//
//
// One JSON object a line on stdin, one on stdout:
//
//   {"bits": [...], "history": [...], "sequence": 0, "steps": 1,
//    "config": {"top_k": 40}}
//   =>  {"ids": [...], "probabilities": [...], "tokens": [...], "entropy": ...,
//        "varentropy": ..., "probability": ..., "candidates": [[id, p], ...]}
//
// `bits` are the bits of the logits as unsigned numbers; with "rows" they are
// several logits, of which each step takes the next. `ids` and `probabilities`
// are what the standard sampler's first step draws from, with "coin" for XTC;
// `tokens` has one draw for each position from 0 to steps - 1; the rest is the
// last step's trace.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/StandardSampler.h"
#include "runtime/SamplerConfig.h"

#include <nlohmann/json.hpp>

#include <bit>
#include <exception>
#include <iostream>
#include <string>

using namespace llamart;
using nlohmann::json;

static void addDistribution(const SampleInput &input,
                            const SamplerOptions &options, double coin,
                            json &result) {
  ChoiceMaker maker;
  const Choices &choices =
      options.mirostat
          ? maker.makeMirostat(input, options, 2.0 * options.mirostatTau)
          : maker.make(input, options, coin);
  double total = sumWeights(choices.weights);
  result["ids"] = json::array();
  result["probabilities"] = json::array();
  for (size_t i = 0; i < choices.weights.size(); ++i) {
    result["ids"].push_back(choices.getId(i));
    result["probabilities"].push_back(choices.weights[i] / total);
  }
}

static std::vector<float> readLogits(const json &request) {
  std::vector<float> logits;
  for (uint32_t bits : request["bits"])
    logits.push_back(std::bit_cast<float>(bits));
  return logits;
}

static json answer(const json &request) {
  std::vector<float> logits = readLogits(request);
  auto history = request.value("history", std::vector<int32_t>());
  std::string config = request.value("config", json::object()).dump();
  auto rows = request.value("rows", size_t(1));
  size_t vocab = logits.size() / rows;
  SampleInput input;
  input.logits = std::span(logits).first(vocab);
  input.history = history;
  input.sequence = request.value("sequence", uint64_t(0));
  json result;
  if (request.contains("coin"))
    addDistribution(input, readStandardOptions(config, {}),
                    request["coin"].get<double>(), result);
  auto sampler = createSampler(config, {});
  auto state = sampler->makeState();
  SampleTrace trace;
  auto steps = request.value("steps", uint32_t(rows));
  for (uint32_t step = 0; step < steps; ++step) {
    input.position = step;
    input.logits = std::span(logits).subspan(step % rows * vocab, vocab);
    result["tokens"].push_back(sampler->sample(
        input, state.get(), step + 1 == steps ? &trace : nullptr));
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
