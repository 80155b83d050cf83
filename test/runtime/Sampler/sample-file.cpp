//===- sample-file.cpp - The samplers, for tests in other languages -------===//
//
// One JSON object a line on stdin, one on stdout:
//
//   {"bits": [...], "rows": 1, "prompt_rows": 0, "history": [...],
//    "sequence": 0, "steps": 1, "config": {"top_k": 40}, "coin": 0.5,
//    "attention": {"heads": 8, "bits": [...]}, "candidates": 8}
//   =>  {"ids": [...], "probabilities": [...], "tokens": [...],
//        "traces": [{"entropy": ..., "varentropy": ..., "probability": ...,
//                    "candidates": [[id, p], ...], "state": "",
//                    "attention": [...]}]}
//
// `bits` are the bits of the logits as unsigned numbers, [rows, vocab]; each
// step takes the next row, those of the prompt are shown first. `ids` and
// `probabilities` are what the standard sampler's first step draws from, with
// "coin" for XTC; `tokens` has one draw for each position from 0 to steps - 1;
// the traces are the last step's, or all steps' with "trace_all"; with "timed"
// there are "seconds" of each step instead.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/SamplerConfig.h"
#include "runtime/Sampler/StandardSampler.h"

#include <nlohmann/json.hpp>

#include <bit>
#include <ctime>
#include <exception>
#include <iostream>
#include <string>

using namespace llamart;
using nlohmann::json;

static void addDistribution(const SampleInput &input,
                            const SamplerOptions &options, double coin,
                            json &result) {
  SamplerChain chain;
  const Candidates &candidates =
      options.mirostat
          ? chain.runMirostat(input, options, 2.0 * options.mirostatTau)
          : chain.run(input, options, coin);
  double total = sumWeights(candidates.weights);
  result["ids"] = json::array();
  result["probabilities"] = json::array();
  for (size_t i = 0; i < candidates.weights.size(); ++i) {
    result["ids"].push_back(candidates.getId(i));
    result["probabilities"].push_back(candidates.weights[i] / total);
  }
}

static std::vector<float> readBits(const json &numbers) {
  std::vector<float> values;
  for (uint32_t bits : numbers)
    values.push_back(std::bit_cast<float>(bits));
  return values;
}

/// Of this thread's computing, whoever else computes.
static double getSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

static json describe(const SampleTrace &trace) {
  json result = {{"entropy", trace.entropy},
                 {"varentropy", trace.varentropy},
                 {"probability", trace.probability},
                 {"state", trace.state},
                 {"candidates", json::array()}};
  for (size_t i = 0; i < trace.candidates.ids.size(); ++i)
    result["candidates"].push_back(
        {trace.candidates.ids[i], trace.candidates.weights[i]});
  if (trace.attention)
    result["attention"] = {
        trace.attention->entropy, trace.attention->varentropy,
        trace.attention->agreement, trace.attention->interactionStrength};
  return result;
}

static json answer(const json &request) {
  std::vector<float> logits = readBits(request["bits"]);
  std::vector<float> scores;
  auto history = request.value("history", std::vector<int32_t>());
  std::string config = request.value("config", json::object()).dump();
  auto rows = request.value("rows", size_t(1));
  size_t vocab = logits.size() / rows;
  SampleInput input;
  input.logits = std::span(logits).first(vocab);
  input.history = history;
  input.sequence = request.value("sequence", uint64_t(0));
  if (request.contains("attention")) {
    scores = readBits(request["attention"]["bits"]);
    auto heads = request["attention"]["heads"].get<int64_t>();
    auto length = int64_t(scores.size()) / heads;
    input.attention = {scores.data(), heads, length, length};
  }
  json result;
  if (request.contains("coin"))
    addDistribution(input, readStandardOptions(config, {}),
                    request["coin"].get<double>(), result);
  auto sampler = createSampler(config, {});
  auto state = sampler->makeState();
  auto first = request.value("prompt_rows", size_t(0));
  for (size_t row = 0; row < first; ++row) // in calls of one row
    sampler->observePrompt(std::span(logits).subspan(row * vocab, vocab), 1,
                           state.get());
  auto steps = request.value("steps", rows - first);
  bool traceAll = request.value("trace_all", false);
  bool timed = request.value("timed", false);
  for (size_t step = 0; step < steps; ++step) {
    SampleTrace trace;
    trace.candidateLimit = request.value("candidates", size_t(8));
    bool traced = (traceAll || step + 1 == steps) && !timed;
    input.position = static_cast<uint32_t>(step);
    size_t row = first + step % (rows - first);
    input.logits = std::span(logits).subspan(row * vocab, vocab);
    double start = getSeconds();
    result["tokens"].push_back(
        sampler->sample(input, state.get(), traced ? &trace : nullptr));
    if (timed)
      result["seconds"].push_back(getSeconds() - start);
    if (traced)
      result["traces"].push_back(describe(trace));
    if (request.value("remember", false)) {
      history.push_back(result["tokens"].back());
      input.history = history;
    }
  }
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
