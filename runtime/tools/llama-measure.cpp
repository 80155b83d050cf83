//===- llama-measure.cpp - How fast a model runs --------------------------===//
//
// llama-measure speed model.so  =>  tokens/s of prompts and of decoding, GB/s
// of
//                                   weights and its share of what memory gives
//
// Exit code 0: done, 1: the input or the machine is at fault, 2: wrong usage.
//
//===----------------------------------------------------------------------===//

#include "llamart/llamart.hpp"
#include "runtime/tools/ReadBandwidth.h"
#include "runtime/tools/TracePage.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

using namespace llamart::api;
using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

namespace {

struct SpeedOptions {
  std::string model, load = "map";
  std::optional<int64_t> prompt, decode;
  int repetitions = 5;
  int batch = 1;
  bool json = false;
  llamart_engine_options engine = LLAMART_ENGINE_OPTIONS;
};

/// Tokens per second of several runs.
struct Rates {
  std::vector<double> runs;

  void add(double tokens, Clock::time_point start) {
    std::chrono::duration<double> took = Clock::now() - start;
    runs.push_back(tokens / took.count());
  }
  double getMedian() const {
    std::vector<double> sorted = runs;
    std::sort(sorted.begin(), sorted.end());
    size_t half = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[half]
                             : (sorted[half - 1] + sorted[half]) / 2;
  }
  ordered_json toJson() const {
    auto [low, high] = std::minmax_element(runs.begin(), runs.end());
    return {{"median", getMedian()}, {"min", *low}, {"max", *high}};
  }
};

struct Speed {
  int64_t prompt, decode; // tokens
  Rates promptRates, decodeRates;
  double bandwidth = 0;      // bytes per second
  uint64_t bytesPerStep = 0; // of weights
};

/// Weights that decoding one token reads: all but the embeddings, of which it
/// reads one row, unless they are the output matrix too.
uint64_t countBytesPerStep(const Model &model) {
  auto info = nlohmann::json::parse(model.getInfo().json);
  const auto &tensors = info["weights"]["tensors"];
  bool untied =
      std::any_of(tensors.begin(), tensors.end(), [](const auto &tensor) {
        return tensor["name"] == "output";
      });
  uint64_t bytes = 0;
  for (const auto &tensor : tensors)
    if (!untied || tensor["name"] != "tok_embeddings")
      bytes += tensor["bytes"].template get<uint64_t>();
  return bytes;
}

/// The lengths asked for, or as much of the usual ones as the context holds.
void chooseLengths(const SpeedOptions &o, int64_t context, Speed &speed) {
  speed.decode = o.decode.value_or(std::min<int64_t>(128, context / 4));
  speed.prompt =
      o.prompt.value_or(std::min<int64_t>(512, context - speed.decode));
  if (speed.prompt + speed.decode > context)
    throw std::runtime_error("a prompt of " + std::to_string(speed.prompt) +
                             " and " + std::to_string(speed.decode) +
                             " more tokens do not fit the model's context of " +
                             std::to_string(context));
}

void measureOnce(Engine &engine, const SpeedOptions &o, int64_t vocab,
                 Speed &speed) {
  std::vector<int32_t> ids(speed.prompt);
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = i * 7919 % vocab;
  Session first(engine);
  llamart_feed prompt = first.feed(ids);
  auto start = Clock::now();
  engine.eval({&prompt, 1});
  speed.promptRates.add(speed.prompt, start);
  if (speed.decode == 0)
    return;

  std::vector<Session> sessions;
  sessions.reserve(o.batch);
  for (int i = 0; i < o.batch; ++i)
    sessions.push_back(first.fork());
  start = Clock::now();
  for (int64_t step = 0; step < speed.decode; ++step) {
    std::vector<llamart_feed> feeds;
    feeds.reserve(sessions.size());
    int32_t id = step * 7919 % vocab;
    for (Session &session : sessions)
      feeds.push_back(session.feed({&id, 1}, LLAMART_FROM_MODEL));
    engine.eval(feeds);
  }
  speed.decodeRates.add(speed.decode * o.batch, start);
}

void printJson(const SpeedOptions &o, const Engine &engine, const Speed &s) {
  ordered_json out = {{"model", o.model},
                      {"threads", engine.getThreads()},
                      {"batch", o.batch},
                      {"read_bytes_per_s", s.bandwidth},
                      {"prompt_tokens", s.prompt},
                      {"prompt_tokens_per_s", s.promptRates.toJson()},
                      {"decode_tokens", s.decode}};
  if (s.decode > 0) {
    double bytes = s.decodeRates.getMedian() / o.batch * s.bytesPerStep;
    out["decode_tokens_per_s"] = s.decodeRates.toJson();
    out["weight_bytes_per_step"] = s.bytesPerStep;
    out["decode_bytes_per_s"] = bytes;
    out["decode_share_of_read"] = bytes / s.bandwidth;
  }
  std::puts(out.dump(2).c_str());
}

void printLine(const char *what, int64_t tokens, const Rates &rates) {
  auto [low, high] = std::minmax_element(rates.runs.begin(), rates.runs.end());
  std::printf("%-7s %5lld tokens  %9.1f tokens/s (%.1f to %.1f)", what,
              static_cast<long long>(tokens), rates.getMedian(), *low, *high);
}

void printText(const SpeedOptions &o, const Engine &engine, const Speed &s) {
  std::printf("memory  read with %d threads: %.1f GB/s\n", engine.getThreads(),
              s.bandwidth / 1e9);
  printLine("prompt", s.prompt, s.promptRates);
  std::printf("\n");
  if (s.decode == 0)
    return;
  printLine("decode", s.decode * o.batch, s.decodeRates);
  double bytes = s.decodeRates.getMedian() / o.batch * s.bytesPerStep;
  std::printf(", %.1f GB/s of weights, %.0f %% of the read bandwidth\n",
              bytes / 1e9, 100 * bytes / s.bandwidth);
}

void measureSpeed(const SpeedOptions &o) {
  llamart_model_options load = LLAMART_MODEL_OPTIONS;
  if (o.load == "copy")
    load.weights = LLAMART_WEIGHTS_COPIED;
  Model model(o.model, load);
  Engine engine(model, o.engine);
  Speed speed;
  chooseLengths(o, model.getInfo().max_seq_len, speed);
  speed.bytesPerStep = countBytesPerStep(model);

  Speed warmUp = speed; // pages are touched for the first time
  measureOnce(engine, o, model.getInfo().vocab, warmUp);
  for (int i = 0; i < o.repetitions; ++i)
    measureOnce(engine, o, model.getInfo().vocab, speed);
  speed.bandwidth = measureReadBandwidth(engine.getThreads(), o.repetitions);
  (o.json ? printJson : printText)(o, engine, speed);
  if (std::fflush(stdout) != 0)
    throw std::runtime_error("standard output cannot be written");
}

int runTool(int argc, char **argv) {
  CLI::App app("Measures a model.so", "llama-measure");
  app.set_version_flag("--version",
                       std::string("llama-measure ") + llamart_version());
  app.require_subcommand(1);
  SpeedOptions o;
  CLI::App *speed = app.add_subcommand("speed", "Tokens per second");
  speed->add_option("MODEL.so", o.model, "The model")->required();
  speed->add_option("-p,--prompt", o.prompt, "Tokens of the prompt [512]")
      ->check(CLI::Range(1, 1 << 30));
  speed->add_option("-n,--decode", o.decode, "Tokens to decode [128]")
      ->check(CLI::Range(0, 1 << 30));
  speed
      ->add_option("-r,--repetitions", o.repetitions, "Runs, after a first one")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  speed->add_option("--batch", o.batch, "Sequences that decode side by side")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  speed
      ->add_option(
          "--threads", o.engine.threads,
          "Threads [the physical cores it may use, fewer for a tiny model]")
      ->check(CLI::Range(1, 1024));
  speed
      ->add_option("--batch-rows", o.engine.batch_rows,
                   "Tokens of one forward call at most")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  speed->add_option("--load", o.load, "map or copy the weights")
      ->check(CLI::IsMember({"map", "copy"}))
      ->capture_default_str();
  speed->add_flag("--json", o.json, "JSON instead of lines");
  std::string trace, page;
  CLI::App *show = app.add_subcommand(
      "trace", "A trace of llama-generate as a page for a browser");
  show->add_option("FILE.jsonl", trace, "What --trace wrote")->required();
  show->add_option("-o,--output", page, "FILE.html")->required();
  try {
    app.parse(argc, argv);
    if (*show)
      writeTracePage(trace, page);
    else
      measureSpeed(o);
    return 0;
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
}

} // namespace

int main(int argc, char **argv) {
  try {
    return runTool(argc, argv);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
