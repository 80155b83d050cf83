//===- Run.cpp - Goes on from one prompt ----------------------------------===//

#include "runtime/tools/generate/Run.h"

#include "runtime/tools/generate/BackgroundSequences.h"
#include "runtime/tools/generate/NpyFile.h"
#include "runtime/tools/generate/ReplyEnds.h"
#include "runtime/tools/generate/Streams.h"
#include "runtime/tools/generate/TokenColors.h"
#include "runtime/tools/generate/TraceFile.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>

namespace llamart::tools {
namespace {

//===----------------------------------------------------------------------===//
// Statistics
//===----------------------------------------------------------------------===//

double getSeconds(Times::Point from, Times::Point to) {
  return std::chrono::duration<double>(to - from).count();
}

const char *getFinishText(int finish) {
  switch (finish) {
  case LLAMART_FINISH_END_OF_TEXT:
    return ", ended by the model";
  case LLAMART_FINISH_STOP_TEXT:
    return ", ended by a stop text";
  case LLAMART_FINISH_CONTEXT:
    return ", the context is full";
  default:
    return "";
  }
}

void printTimes(const Times &t, const api::Job &job) {
  double prompt = getSeconds(t.fed, t.first);
  std::fprintf(stderr, "opened in %.1f ms; first token after %.1f ms\n",
               1e3 * getSeconds(t.start, t.loaded), 1e3 * prompt);
  std::fprintf(stderr, "prompt: %zu tokens, %.1f tokens/s", job.prompt.size(),
               job.prompt.size() / prompt);
  if (job.result.generated > 0)
    std::fprintf(stderr, "; generated: %lld tokens",
                 static_cast<long long>(job.result.generated));
  if (job.result.generated > 1)
    std::fprintf(stderr, ", %.1f tokens/s",
                 (job.result.generated - 1) / getSeconds(t.first, t.last));
  std::fprintf(stderr, "%s\n", getFinishText(job.result.finish));
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

/// Where the tokens of the main sequence go.
struct Output {
  Times times;
  ReplyEnds ends;
  int64_t tokens = 0;
  bool isLineBegun = false; ///< by the prompt
  std::unique_ptr<NpyFile> logits;
  std::unique_ptr<TraceFile> trace;
  std::unique_ptr<TokenColors> colors;

  Output(const GenerateOptions &o, const api::Model &model, Times times)
      : times(times), ends(model, o) {
    if (o.logits)
      logits = std::make_unique<NpyFile>(*o.logits, model.getInfo().vocab);
    if (o.color == "always" || (o.color == "auto" && isatty(STDOUT_FILENO)))
      colors = std::make_unique<TokenColors>();
  }

  void attach(api::Job &job, bool printIds);
  void finish();
};

void Output::attach(api::Job &job, bool printIds) {
  job.onToken = [this, printIds](int32_t id) {
    times.last = Times::now();
    if (tokens++ == 0)
      times.first = times.last;
    if (printIds)
      print((tokens > 1 ? "," : "") + std::to_string(id));
    return !ends.contain(id);
  };
  if (!printIds)
    job.onText = [this](std::string_view text) {
      print(colors ? colors->paint(text) : std::string(text));
      return true;
    };
  if (trace || colors)
    job.onStep = [this](const llamart_step &step) {
      if (trace)
        trace->write(step);
      if (colors)
        colors->look(step);
      return true;
    };
  if (logits)
    job.onLogits = [this](const float *data, int64_t rows) {
      logits->write(data, rows);
      return true;
    };
}

void Output::finish() {
  if (tokens == 0)
    times.first = Times::now();
  if (tokens > 0 || isLineBegun)
    print("\n");
  if (logits)
    logits->finish();
  if (trace)
    trace->finish();
  if (colors && tokens > 0)
    std::fprintf(stderr, "%s\n", colors->getLegend().c_str());
}

std::string getPromptText(const api::Model &model,
                          const std::vector<int32_t> &prompt) {
  return model.getInfo().has_tokenizer ? model.decode(prompt, true) : "";
}

/// Before the first token: the prompt, as it was given, paler than what follows
/// it where that is a terminal. Whether it is shown.
bool echoPrompt(const GenerateOptions &o, const api::Model &model,
                const std::vector<int32_t> &prompt, std::string_view given) {
  bool isTerminal = isatty(STDOUT_FILENO);
  bool isText = !o.chat && !o.printIds;
  if (!isText || !o.echo.value_or(isTerminal))
    return false;
  auto get = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string_view(value ? value : "");
  };
  bool isPlain = !isTerminal || !get("NO_COLOR").empty() ||
                 get("TERM").empty() || get("TERM") == "dumb";
  std::string text =
      o.promptIds ? getPromptText(model, prompt) : std::string(given);
  print(isPlain ? text : "\033[2m" + text + "\033[22m");
  return true;
}

} // namespace

void continueText(const api::Model &model, api::Engine &engine,
                  const api::Sampler &sampler, const GenerateOptions &o,
                  const std::vector<int32_t> &prompt, std::string_view text,
                  const Times &times) {
  api::Session session(engine);
  Output output(o, model, times);
  if (o.trace)
    output.trace = std::make_unique<TraceFile>(*o.trace, model, o.samplerConfig,
                                               getPromptText(model, prompt));
  BackgroundSequences background(engine, o.concurrentIds, output.tokens);
  std::vector<api::Job> jobs(1);
  api::Job &main = jobs.front();
  main.session = &session;
  main.sampler = &sampler;
  main.prompt = prompt;
  main.maxTokens = o.maxTokens;
  main.stops = o.stops;
  main.ignoreEos = o.ignoreEos;
  main.startsText = o.chat;
  output.attach(main, o.printIds);
  background.addJobs(jobs);

  output.isLineBegun = echoPrompt(o, model, prompt, text);
  output.times.fed = Times::now();
  api::generate(engine, jobs);
  output.finish();
  if (!o.quiet)
    printTimes(output.times, jobs.front());
  for (size_t i = 1; o.verbose && i < jobs.size(); ++i)
    std::fprintf(stderr, "concurrent: %zu tokens; generated: %lld tokens\n",
                 jobs[i].prompt.size(),
                 static_cast<long long>(jobs[i].result.generated));
}

} // namespace llamart::tools
