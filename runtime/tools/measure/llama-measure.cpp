//===- llama-measure.cpp - How fast and how good a model is ---------------===//
//
// llama-measure speed model.so
//   =>  what the machine can do; tokens/s of prompts and of decoding
// llama-measure quality int8.so --reference=bf16.so --text=book.txt
//   =>  perplexities, and how far the predictions are from each other
// llama-measure trace FILE.jsonl -o FILE.html
//   =>  what llama-generate --trace wrote, as a page
//
// Exit code 0: done, 1: the input or the machine is at fault, 2: wrong usage.
//
//===----------------------------------------------------------------------===//

#include "files/InputFiles.h"
#include "files/OutputPlace.h"
#include "runtime/tools/NearestOption.h"
#include "runtime/tools/measure/Quality.h"
#include "runtime/tools/measure/Speed.h"
#include "runtime/tools/measure/TracePage.h"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <stdexcept>

using namespace llamart::tools;

namespace {

void addEngineOptions(CLI::App &app, llamart_engine_options &engine) {
  app.add_option(
         "--threads", engine.threads,
         "Threads [the physical cores it may use, fewer for a tiny model]")
      ->check(CLI::Range(1, 1024));
  app.add_option("--batch-rows", engine.batch_rows,
                 "Tokens of one forward call at most")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
}

CLI::App *addSpeed(CLI::App &app, SpeedOptions &o) {
  CLI::App *speed =
      app.add_subcommand("speed", "Tokens per second, and what bounds them");
  speed->add_option("MODEL.so", o.model, "The model")->required();
  speed
      ->add_option("-p,--prompt", o.prompts,
                   "Tokens of the prompts, as in 16,128,512 [512]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1 << 30));
  speed
      ->add_option("-n,--decode", o.decode,
                   "Tokens to decode after each of them [128]")
      ->check(CLI::Range(0, 1 << 30));
  speed
      ->add_option("-r,--repetitions", o.repetitions, "Runs, after a first one")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  speed
      ->add_option("--batch", o.batches,
                   "Sequences that decode side by side, as in 1,4,16 [1]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1024));
  addEngineOptions(*speed, o.engine);
  speed
      ->add_option("--load", o.load,
                   "map or copy the weights; auto: map, and copy meanwhile")
      ->check(CLI::IsMember({"map", "copy", "auto"}))
      ->capture_default_str();
  speed
      ->add_flag("--profile{ops}", o.profile,
                 "Time, bytes and operations of every fused op; --profile="
                 "layers: in every layer")
      ->check(CLI::IsMember({"ops", "layers"}));
  speed->add_flag("--json", o.json, "JSON instead of lines");
  speed->add_flag("--quiet", o.quiet, "No progress");
  return speed;
}

CLI::App *addQuality(CLI::App &app, QualityOptions &o) {
  CLI::App *quality = app.add_subcommand(
      "quality", "Perplexity of a text, divergence from a reference");
  quality->add_option("MODEL.so", o.models, "The model; or several")
      ->required();
  quality->add_option("--text", o.text, "File with the text")->required();
  quality->add_option("--reference", o.reference,
                      "Model whose predictions the others are compared with");
  quality
      ->add_option("--context", o.context,
                   "Tokens of a chunk of the text [512, or what models hold]")
      ->check(CLI::Range(2, 1 << 30));
  addEngineOptions(*quality, o.engine);
  quality->add_flag("--json", o.json, "JSON instead of a table");
  quality->add_flag("--quiet", o.quiet, "No progress");
  return quality;
}

/// Nothing is printed onto what is measured.
void noteInputs(const SpeedOptions &speed, const QualityOptions &quality) {
  llamafiles::noteInput(speed.model);
  llamafiles::noteInput(quality.text);
  llamafiles::noteInput(quality.reference.value_or(""));
  for (const std::string &model : quality.models)
    llamafiles::noteInput(model);
  std::string problem = llamafiles::checkStandardOutput();
  if (!problem.empty())
    throw std::runtime_error(problem);
}

int runTool(int argc, char **argv) {
  CLI::App app("Measures a model.so", "llama-measure");
  app.set_version_flag("--version",
                       std::string("llama-measure ") + llamart_version());
  app.require_subcommand(1);
  SpeedOptions speedOptions;
  CLI::App *speed = addSpeed(app, speedOptions);
  QualityOptions qualityOptions;
  CLI::App *quality = addQuality(app, qualityOptions);
  std::string trace, page;
  CLI::App *show = app.add_subcommand(
      "trace", "A trace of llama-generate as a page for a browser");
  show->add_option("FILE.jsonl", trace, "What --trace wrote")->required();
  show->add_option("-o,--output", page, "FILE.html")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return explainCommandLine(app, error);
  }
  noteInputs(speedOptions, qualityOptions);
  if (*show)
    writeTracePage(trace, page);
  else if (*quality)
    measureQuality(qualityOptions);
  else if (*speed && speedOptions.json)
    printSpeedJson(speedOptions, measureSpeed(speedOptions));
  else
    printSpeed(speedOptions, measureSpeed(speedOptions));
  if (std::fflush(stdout) != 0)
    throw std::runtime_error(std::string("standard output: ") +
                             std::strerror(errno));
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN); // a closed pipe is an error like a full disk
  try {
    return runTool(argc, argv);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
