//===- llama-generate.cpp - Continues a text or answers in a chat ---------===//
//
// llama-generate model.so --prompt="Once upon a time"
//
// The result, text or ids, goes to stdout, statistics go to stderr. Exit code
// 0: done, 1: the input or the machine is at fault, 2: wrong usage.
//
//===----------------------------------------------------------------------===//

#include "llamart/llamart.hpp"
#include "runtime/Text/ChatTemplate/Guard.h"
#include "runtime/tools/generate/Conversation.h"
#include "runtime/tools/generate/GenerateOptions.h"
#include "runtime/tools/generate/NpyFile.h"
#include "runtime/tools/generate/TokenColors.h"
#include "runtime/tools/generate/TraceFile.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

using namespace llamart::api;
using namespace llamart::tools;
using Clock = std::chrono::steady_clock;

namespace {

//===----------------------------------------------------------------------===//
// Input and output
//===----------------------------------------------------------------------===//

std::string readFile(const std::string &path) {
  bool standard = path == "-";
  int file = standard ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  char buffer[65536];
  ssize_t got = file < 0 ? -1 : 1;
  while (got > 0 && (got = read(file, buffer, sizeof(buffer))) > 0)
    text.append(buffer, got);
  int error = errno;
  if (file >= 0 && !standard)
    close(file);
  if (got < 0)
    throw std::runtime_error(path + ": " + std::strerror(error));
  return text;
}

/// Shown at once, for it may be a person who reads.
void print(std::string_view text) {
  size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written != text.size() || std::fflush(stdout) != 0)
    throw std::runtime_error(std::string("standard output: ") +
                             std::strerror(errno));
}

std::vector<int32_t> makePrompt(const Model &model, const GenerateOptions &o) {
  if (o.promptIds)
    return *o.promptIds;
  std::string text =
      o.promptFile ? readFile(*o.promptFile) : o.prompt.value_or("");
  if (!o.chat) {
    llamart_encode_options options = LLAMART_ENCODE_OPTIONS;
    options.allow_special = o.special;
    return model.encode(text, options);
  }
  std::vector<Message> messages;
  if (o.system)
    messages.push_back({"system", *o.system});
  messages.push_back({"user", std::move(text)});
  return encodeChat(model, messages, o);
}

//===----------------------------------------------------------------------===//
// Statistics
//===----------------------------------------------------------------------===//

double getSeconds(Clock::time_point from, Clock::time_point to) {
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

struct Times {
  Clock::time_point start = Clock::now(), loaded, fed, first, last;
};

void printTimes(const Times &t, const Job &job) {
  double prompt = getSeconds(t.fed, t.first);
  std::fprintf(stderr, "opened in %.1f ms; first token after %.1f ms\n",
               1e3 * getSeconds(t.start, t.loaded), 1e3 * prompt);
  std::fprintf(stderr, "prompt: %zu tokens, %.1f tokens/s", job.prompt.size(),
               job.prompt.size() / prompt);
  if (job.generated > 0)
    std::fprintf(stderr, "; generated: %lld tokens",
                 static_cast<long long>(job.generated));
  if (job.generated > 1)
    std::fprintf(stderr, ", %.1f tokens/s",
                 (job.generated - 1) / getSeconds(t.first, t.last));
  std::fprintf(stderr, "%s\n", getFinishText(job.finish));
}

void printModel(const Model &model, const Engine &engine) {
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

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

/// Other sequences that run as long as the main one, greedily.
class Company {
public:
  /// `mainTokens` counts what the main sequence has generated.
  Company(Engine &engine, const std::vector<std::vector<int32_t>> &prompts,
          const int64_t &mainTokens)
      : mainTokens(mainTokens), prompts(prompts) {
    sessions.reserve(prompts.size());
    for (size_t i = 0; i < prompts.size(); ++i)
      sessions.emplace_back(engine);
  }

  void addJobs(std::vector<Job> &jobs) {
    for (size_t i = 0; i < sessions.size(); ++i) {
      Job &job = jobs.emplace_back();
      job.session = &sessions[i];
      job.sampler = &greedy;
      job.prompt = prompts[i];
      job.ignoreEos = true;
      // Once it generates, the main sequence has a new token in every round.
      job.onToken = [this, seen = int64_t(0)](int32_t) mutable {
        bool ended = seen > 0 && seen == mainTokens;
        seen = mainTokens;
        return !ended;
      };
    }
  }

private:
  const int64_t &mainTokens;
  Sampler greedy = Sampler::greedy();
  const std::vector<std::vector<int32_t>> &prompts;
  std::vector<Session> sessions;
};

/// Where the tokens of the main sequence go.
struct Output {
  Times times;
  std::vector<int32_t> ends; ///< of a reply, besides the model's own
  int64_t tokens = 0;
  std::unique_ptr<NpyFile> logits;
  std::unique_ptr<TraceFile> trace;
  std::unique_ptr<TokenColors> colors;

  Output(const GenerateOptions &o, const Model &model) {
    if (o.logits)
      logits = std::make_unique<NpyFile>(*o.logits, model.getInfo().vocab);
    if (o.color == "always" || (o.color == "auto" && isatty(STDOUT_FILENO)))
      colors = std::make_unique<TokenColors>();
  }

  void attach(Job &job, bool printIds);
  void finish();
};

void Output::attach(Job &job, bool printIds) {
  job.onToken = [this, printIds](int32_t id) {
    times.last = Clock::now();
    if (tokens++ == 0)
      times.first = times.last;
    if (printIds)
      print((tokens > 1 ? "," : "") + std::to_string(id));
    return std::ranges::find(ends, id) == ends.end();
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
    times.first = Clock::now();
  else
    print("\n");
  if (logits)
    logits->finish();
  if (trace)
    trace->finish();
  if (colors && tokens > 0)
    std::fprintf(stderr, "%s\n", colors->getLegend().c_str());
}

std::string getPromptText(const Model &model,
                          const std::vector<int32_t> &prompt) {
  return model.getInfo().has_tokenizer ? model.decode(prompt, true) : "";
}

Sampler makeSampler(const Model &model, const GenerateOptions &o) {
  llamart_sampler_options sampling = o.sampling;
  sampling.model = model.get();
  sampling.config = o.samplerConfig.empty() ? nullptr : o.samplerConfig.c_str();
  return Sampler(sampling);
}

//===----------------------------------------------------------------------===//
// Other things than one text
//===----------------------------------------------------------------------===//

/// The verdict on the prompt, or on a reply to it.
void judge(const Model &model, Engine &engine, const GenerateOptions &o) {
  std::vector<llamart::ChatMessage> conversation = {
      {"user", o.promptFile ? readFile(*o.promptFile) : o.prompt.value_or("")}};
  if (o.reply)
    conversation.push_back({"assistant", *o.reply});
  llamart::ChatMessage question = llamart::askGuard(conversation);
  GenerateOptions layout;
  layout.chatTemplate = "llama3";
  std::vector<Message> messages = {{question.role, question.content}};
  std::vector<int32_t> prompt = encodeChat(model, messages, layout);
  std::vector<int32_t> ends = findReplyEnds(model, layout);

  Session session(engine);
  Sampler greedy = Sampler::greedy();
  std::string answer;
  std::vector<Job> jobs(1);
  Job &job = jobs.front();
  job.session = &session;
  job.sampler = &greedy;
  job.prompt = prompt;
  job.maxTokens = o.maxTokens < 0 ? 64 : o.maxTokens;
  job.startsText = true;
  job.onToken = [&](int32_t id) {
    return std::ranges::find(ends, id) == ends.end();
  };
  job.onText = [&](std::string_view text) {
    answer += text;
    return true;
  };
  generate(engine, jobs);
  std::optional<llamart::GuardVerdict> verdict = llamart::readVerdict(answer);
  if (!verdict)
    throw std::runtime_error(o.model + ": the verdict is '" +
                             answer.substr(0, answer.find('\n')) +
                             "', expected safe or unsafe: no Llama Guard 3?");
  print(verdict->safe ? "safe\n" : "unsafe\n");
  std::string list;
  for (const std::string &category : verdict->categories) {
    list += (list.empty() ? "" : ",") + category;
    std::string name(llamart::getCategoryName(category));
    if (!o.quiet && !name.empty())
      std::fprintf(stderr, "%s: %s\n", category.c_str(), name.c_str());
  }
  if (!list.empty())
    print(list + "\n");
}

/// One way on from a first token.
struct Branch {
  Session session;
  std::vector<int32_t> ids; ///< the first token and those that follow
  double bits = 0.0;        ///< of surprise, all of them
};

/// The most probable next tokens, each with a fork that has been fed it.
std::vector<Branch> makeBranches(Engine &engine, const Session &session,
                                 int64_t vocab, int count) {
  const float *logits = session.getLogits();
  double largest = *std::max_element(logits, logits + vocab), total = 0.0;
  std::vector<int32_t> order(vocab);
  for (int64_t id = 0; id < vocab; ++id) {
    order[id] = static_cast<int32_t>(id);
    total += std::exp(logits[id] - largest);
  }
  count = static_cast<int>(std::min<int64_t>(count, vocab));
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](int32_t a, int32_t b) {
                      return logits[a] > logits[b] ||
                             (logits[a] == logits[b] && a < b);
                    });
  std::vector<Branch> branches;
  std::vector<llamart_feed> feeds;
  branches.reserve(count);
  for (int i = 0; i < count; ++i) {
    double bits = -std::log2(std::exp(logits[order[i]] - largest) / total);
    branches.push_back({session.fork(i), {order[i]}, bits});
    Branch &branch = branches.back();
    feeds.push_back(branch.session.feed(branch.ids, LLAMART_FROM_MODEL));
    feeds.back().attention = 1;
  }
  engine.eval(feeds);
  return branches;
}

void growBranches(const Model &model, Engine &engine, const Sampler &sampler,
                  const GenerateOptions &o,
                  const std::vector<int32_t> &prompt) {
  Session session(engine);
  std::vector<Job> jobs(1);
  jobs[0].session = &session;
  jobs[0].sampler = &sampler;
  jobs[0].prompt = prompt;
  jobs[0].maxTokens = 0;
  generate(engine, jobs);
  std::vector<Branch> branches =
      makeBranches(engine, session, model.getInfo().vocab, o.branches);

  std::vector<int32_t> ends = findReplyEnds(model, o);
  auto isEnd = [&](int32_t id) {
    return !o.ignoreEos &&
           (model.endsReply(id) || std::ranges::find(ends, id) != ends.end());
  };
  jobs.clear();
  jobs.reserve(branches.size());
  for (Branch &branch : branches) {
    if (isEnd(branch.ids.front()) || o.maxTokens == 1)
      continue;
    Job &job = jobs.emplace_back();
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
    job.onToken = [&](int32_t id) { return !isEnd(id); };
  }
  generate(engine, jobs);
  for (size_t i = 0; i < branches.size(); ++i) {
    Decoder decoder(model, /*afterText=*/!o.chat);
    std::string text;
    for (int32_t id : branches[i].ids)
      text += decoder.push(id);
    text += decoder.finish();
    print((i ? "\n[" : "[") + std::to_string(i + 1) + "]" + text + "\n");
    if (!o.quiet)
      std::fprintf(stderr,
                   "branch %zu: %zu tokens, %.2f bits of surprise each\n",
                   i + 1, branches[i].ids.size(),
                   branches[i].bits / double(branches[i].ids.size()));
  }
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

void run(const GenerateOptions &o) {
  Times times;
  Model model(o.model, o.load);
  Engine engine(model, o.engine);
  times.loaded = Clock::now();
  if (o.verbose)
    printModel(model, engine);
  if (o.guard)
    return judge(model, engine, o);

  Sampler sampler = makeSampler(model, o);
  if (o.chat && !o.prompt && !o.promptFile)
    return converse(model, engine, sampler, o);
  std::vector<int32_t> prompt = makePrompt(model, o);
  if (o.branches > 1)
    return growBranches(model, engine, sampler, o, prompt);
  Session session(engine);
  Output output(o, model);
  output.times = times;
  output.ends = findReplyEnds(model, o);
  if (o.trace)
    output.trace = std::make_unique<TraceFile>(*o.trace, model, o.samplerConfig,
                                               getPromptText(model, prompt));

  Company company(engine, o.besideIds, output.tokens);
  std::vector<Job> jobs(1);
  Job &main = jobs.front();
  main.session = &session;
  main.sampler = &sampler;
  main.prompt = prompt;
  main.maxTokens = o.maxTokens;
  main.stops = o.stops;
  main.ignoreEos = o.ignoreEos;
  main.startsText = o.chat;
  output.attach(main, o.printIds);
  company.addJobs(jobs);

  output.times.fed = Clock::now();
  generate(engine, jobs);
  output.finish();
  if (!o.quiet)
    printTimes(output.times, jobs.front());
  for (size_t i = 1; o.verbose && i < jobs.size(); ++i)
    std::fprintf(stderr, "beside: %zu tokens; generated: %lld tokens\n",
                 jobs[i].prompt.size(),
                 static_cast<long long>(jobs[i].generated));
}

} // namespace

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
