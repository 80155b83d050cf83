//===- Branches.cpp - One text from each of the best first tokens ---------===//

#include "runtime/tools/generate/Branches.h"

#include "runtime/Sampler/Candidates.h"
#include "runtime/tools/generate/ReplyEnds.h"
#include "runtime/tools/generate/Streams.h"

#include <cmath>
#include <cstdio>
#include <string>

namespace llamart::tools {
namespace {

/// One way on from a first token.
struct Branch {
  api::Session session;
  std::vector<int32_t> ids; ///< the first token and those that follow
  double bits = 0.0;        ///< of surprise, all of them
};

/// The most probable next tokens, each with a fork that has been fed it.
std::vector<Branch> makeBranches(api::Engine &engine,
                                 const api::Session &session, size_t vocab,
                                 size_t count) {
  Candidates best = weighAll({session.getLogits(), vocab}).findBest(count);
  std::vector<Branch> branches;
  std::vector<llamart_feed> feeds;
  branches.reserve(best.ids.size());
  for (size_t i = 0; i < best.ids.size(); ++i) {
    branches.push_back(
        {session.fork(i), {best.ids[i]}, -std::log2(best.weights[i])});
    Branch &branch = branches.back();
    feeds.push_back(branch.session.feed(branch.ids, LLAMART_FROM_MODEL));
    feeds.back().attention = 1;
  }
  engine.eval(feeds);
  return branches;
}

/// All of them at once, each until it ends.
void grow(api::Engine &engine, const api::Sampler &sampler,
          const GenerateOptions &o, const ReplyEnds &ends,
          std::vector<Branch> &branches) {
  std::vector<api::Job> jobs;
  jobs.reserve(branches.size());
  for (Branch &branch : branches) {
    if (ends.contain(branch.ids.front()) || o.maxTokens == 1)
      continue;
    api::Job &job = jobs.emplace_back();
    job.session = &branch.session;
    job.sampler = &sampler;
    job.maxTokens = o.maxTokens < 0 ? -1 : o.maxTokens - 1;
    job.stops = o.stops;
    job.ignoreEos = o.ignoreEos;
    job.onStep = [&branch](const llamart_step &step) {
      branch.ids.push_back(step.id);
      branch.bits -= std::log2(step.probability);
      return true;
    };
    job.onToken = [&ends](int32_t id) { return !ends.contain(id); };
  }
  api::generate(engine, jobs);
}

void printBranch(const api::Model &model, const GenerateOptions &o,
                 const Branch &branch, size_t number) {
  api::Decoder decoder(model, /*afterText=*/!o.chat);
  std::string text;
  for (int32_t id : branch.ids)
    text += decoder.push(id);
  text += decoder.finish();
  print((number > 1 ? "\n[" : "[") + std::to_string(number) + "]" + text +
        "\n");
  if (!o.quiet)
    std::fprintf(stderr, "branch %zu: %zu tokens, %.2f bits of surprise each\n",
                 number, branch.ids.size(),
                 branch.bits / double(branch.ids.size()));
}

} // namespace

void growBranches(const api::Model &model, api::Engine &engine,
                  const api::Sampler &sampler, const GenerateOptions &o,
                  const std::vector<int32_t> &prompt) {
  api::Session session(engine);
  std::vector<api::Job> jobs(1);
  jobs[0].session = &session;
  jobs[0].sampler = &sampler;
  jobs[0].prompt = prompt;
  jobs[0].maxTokens = 0;
  api::generate(engine, jobs);
  std::vector<Branch> branches =
      makeBranches(engine, session, model.getInfo().vocab, o.branches);
  ReplyEnds ends(model, o);
  grow(engine, sampler, o, ends, branches);
  for (size_t i = 0; i < branches.size(); ++i)
    printBranch(model, o, branches[i], i + 1);
}

} // namespace llamart::tools
