//===- llama-generate.cpp - Continues a text or answers in a chat ---------===//
//
// llama-generate model.so --prompt="Once upon a time"
//
// The result, text or ids, goes to stdout, statistics go to stderr. Exit code
// 0: done, 1: the input or the machine is at fault, 2: wrong usage.
//
//===----------------------------------------------------------------------===//

#include "files/OutputPlace.h"
#include "llamart/llamart.hpp"
#include "runtime/CInterface/Handles.h"
#include "runtime/tools/ModelFiles.h"
#include "runtime/tools/generate/Branches.h"
#include "runtime/tools/generate/Conversation.h"
#include "runtime/tools/generate/GenerateOptions.h"
#include "runtime/tools/generate/Guard.h"
#include "runtime/tools/generate/Prompt.h"
#include "runtime/tools/generate/Run.h"

#include <csignal>
#include <cstdio>

namespace llamart::tools {
namespace {

void printModel(const api::Model &model, const api::Engine &engine) {
  const llamart_model_info &info = model.getInfo();
  std::fprintf(
      stderr,
      "%s: %lld layers, hidden %lld, vocab %lld, context %lld; %.1f MB "
      "of weights, activations %s, cache %s\n",
      info.name, static_cast<long long>(info.layers),
      static_cast<long long>(info.hidden), static_cast<long long>(info.vocab),
      static_cast<long long>(info.max_seq_len), info.weights_bytes / 1e6,
      info.activations, info.kv_type);
  std::fprintf(stderr,
               "built by %s for %s (%s); %d threads, KV cache of at most %.1f "
               "MB\n",
               info.compiler, info.cpu, info.triple, engine.getThreads(),
               engine.getKVBudget() / 1e6);
}

api::Sampler makeSampler(const api::Model &model, const GenerateOptions &o) {
  llamart_sampler_options sampling = o.sampling;
  sampling.model = model.get();
  sampling.config = o.samplerConfig.empty() ? nullptr : o.samplerConfig.c_str();
  return api::Sampler(sampling);
}

/// That no output goes where something is read, or another output.
void checkOutputs(const GenerateOptions &o) {
  std::vector<llamafiles::Output> outputs;
  if (o.logits)
    outputs.push_back({*o.logits, llamafiles::Order::Anywhere});
  if (o.trace)
    outputs.push_back({*o.trace, llamafiles::Order::Streamed});
  std::string problem = llamafiles::checkOutputs(outputs);
  if (!problem.empty())
    throw std::runtime_error(problem);
}

void answer(const api::Model &model, api::Engine &engine,
            const GenerateOptions &o, const Times &times) {
  if (o.guard)
    return judge(model, engine, o);

  api::Sampler sampler = makeSampler(model, o);
  if (o.chat && !o.prompt && !o.promptFile && !o.messages)
    return converse(model, engine, sampler, o);
  std::string text = readPrompt(o);
  std::vector<int32_t> prompt = encodePrompt(model, o, text);
  checkOutputs(o); // all that is read has been
  if (o.branches > 1)
    return growBranches(model, engine, sampler, o, prompt);
  continueText(model, engine, sampler, o, prompt, text, times);
}

void run(const GenerateOptions &o) {
  Times times;
  api::Model model(o.model, o.load);
  noteModel(o.model, model);
  if (o.printPrompt)
    return printPrompt(model, o);
  api::Engine engine(model, o.engine);
  times.loaded = Times::now();
  if (o.verbose)
    printModel(model, engine);
  answer(model, engine, o, times);
  if (o.verbose)
    std::fprintf(stderr, "weights: %s\n",
                 model.get()->model->describeWeights().c_str());
}

} // namespace
} // namespace llamart::tools

using namespace llamart::tools;

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN); // a closed pipe is an error like a full disk
  try {
    GenerateOptions options;
    if (std::optional<int> code = readCommandLine(argc, argv, options))
      return *code;
    run(options);
    return 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
