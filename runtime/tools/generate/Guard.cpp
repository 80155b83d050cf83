//===- Guard.cpp - A Llama Guard 3 judges a prompt or a reply -------------===//

#include "runtime/tools/generate/Guard.h"

#include "runtime/Text/ChatTemplate/Guard.h"
#include "runtime/tools/generate/Prompt.h"
#include "runtime/tools/generate/ReplyEnds.h"
#include "runtime/tools/generate/Streams.h"

#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace llamart::tools {
namespace {

/// The answer of the model, which should be a verdict.
std::string ask(const api::Model &model, api::Engine &engine,
                const GenerateOptions &o) {
  std::vector<ChatMessage> conversation = {{"user", readPrompt(o)}};
  if (o.reply)
    conversation.push_back({"assistant", *o.reply});
  ChatMessage question = askGuard(conversation);
  GenerateOptions layout;
  layout.chatTemplate = "llama3";
  std::vector<api::Message> messages = {{question.role, question.content}};
  std::vector<int32_t> prompt = encodeChat(model, messages, layout);
  ReplyEnds ends(model, layout);

  api::Session session(engine);
  api::Sampler greedy = api::Sampler::greedy();
  std::string answer;
  std::vector<api::Job> jobs(1);
  api::Job &job = jobs.front();
  job.session = &session;
  job.sampler = &greedy;
  job.prompt = prompt;
  job.maxTokens = o.maxTokens < 0 ? 64 : o.maxTokens;
  job.startsText = true;
  job.onToken = [&](int32_t id) { return !ends.contain(id); };
  job.onText = [&](std::string_view text) {
    answer += text;
    return true;
  };
  api::generate(engine, jobs);
  return answer;
}

void printVerdict(const GuardVerdict &verdict, bool quiet) {
  print(verdict.safe ? "safe\n" : "unsafe\n");
  std::string list;
  for (const std::string &category : verdict.categories) {
    list += (list.empty() ? "" : ",") + category;
    std::string name(getCategoryName(category));
    if (!quiet && !name.empty())
      std::fprintf(stderr, "%s: %s\n", category.c_str(), name.c_str());
  }
  if (!list.empty())
    print(list + "\n");
}

} // namespace

void judge(const api::Model &model, api::Engine &engine,
           const GenerateOptions &o) {
  std::string answer = ask(model, engine, o);
  std::optional<GuardVerdict> verdict = readVerdict(answer);
  if (!verdict)
    throw std::runtime_error(o.model + ": the verdict is '" +
                             answer.substr(0, answer.find('\n')) +
                             "', expected safe or unsafe: no Llama Guard 3?");
  printVerdict(*verdict, o.quiet);
}

} // namespace llamart::tools
