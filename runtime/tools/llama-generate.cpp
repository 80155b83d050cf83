//===- llama-generate.cpp - Continues a text or answers in a chat ---------===//
//
// llama-generate model.so --prompt="Once upon a time"
//
// The result, text or ids, goes to stdout, statistics go to stderr. Exit code
// 0: done, 1: the input or the machine is at fault, 2: wrong usage.
//
//===----------------------------------------------------------------------===//

#include "llamart/llamart.hpp"
#include "runtime/abi/LlamaABI.h"
#include "runtime/tools/NpyFile.h"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <unistd.h>

using namespace llamart::api;
using Clock = std::chrono::steady_clock;

namespace {

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

struct Options {
  std::string model;
  std::optional<std::string> prompt, promptFile, promptIds, system, logits;
  bool chat = false, special = false, ignoreEos = false, printIds = false;
  bool verbose = false, quiet = false;
  int64_t maxTokens = -1;
  std::vector<std::string> stops, besideIds;
  std::string sampler, load = "map";
  llamart_sampler_options sampling = LLAMART_SAMPLER_OPTIONS;
  llamart_engine_options engine = LLAMART_ENGINE_OPTIONS;
};

/// For whole numbers; says what was given and what is expected.
CLI::Validator atLeast(int64_t least) {
  auto check = [least](const std::string &text) -> std::string {
    int64_t value = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value);
    bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && value >= least)
      return "";
    return "is '" + text + "', expected a whole number of at least " +
           std::to_string(least);
  };
  return CLI::Validator(check, "");
}

void addPromptOptions(CLI::App &app, Options &o) {
  const char *group = "Prompt: one of the first three";
  app.add_option("--prompt", o.prompt, "Text to go on from")->group(group);
  app.add_option("--prompt-file", o.promptFile,
                 "File with that text; - is standard input")
      ->group(group);
  app.add_option("--prompt-ids", o.promptIds,
                 "Token ids, 1,2,3, used as they are")
      ->group(group);
  app.add_flag("--special", o.special,
               "Control tokens written out in the prompt are tokens")
      ->group(group);
  app.add_flag("--chat", o.chat,
               "The prompt is a message; the model answers it")
      ->group(group);
  app.add_option("--system", o.system, "System message of the chat")
      ->group(group);
}

/// What single options cannot say about each other.
void checkPrompt(const Options &o) {
  auto check = [](bool holds, const char *rule) {
    if (!holds)
      throw CLI::ValidationError(rule);
  };
  int prompts =
      o.prompt.has_value() + o.promptFile.has_value() + o.promptIds.has_value();
  check(prompts == 1, "give one of --prompt, --prompt-file, --prompt-ids");
  check(!o.chat || !o.promptIds, "--chat needs --prompt or --prompt-file");
  check(!o.special || !(o.chat || o.promptIds),
        "--special needs --prompt or --prompt-file, without --chat");
  check(!o.system || o.chat, "--system needs --chat");
  check(!o.verbose || !o.quiet, "--verbose and --quiet exclude each other");
}

void addLengthOptions(CLI::App &app, Options &o) {
  const char *group = "Length";
  app.add_option("--max-tokens", o.maxTokens,
                 "Tokens to generate; 0 only feeds the prompt [until the model "
                 "ends or its context is full]")
      ->check(atLeast(0))
      ->group(group);
  app.add_option("--stop", o.stops, "Text that ends the generation; repeatable")
      ->expected(1)
      ->take_all()
      ->group(group);
  app.add_flag("--ignore-eos", o.ignoreEos, "Go on when the model ends")
      ->group(group);
}

void addSamplerOptions(CLI::App &app, Options &o) {
  const char *group = "Sampling";
  auto &s = o.sampling;
  app.add_option("--sampler", o.sampler,
                 "greedy or standard [greedy; standard if one of the options "
                 "below is given]")
      ->check(CLI::IsMember({"greedy", "standard"}))
      ->group(group);
  auto add = [&](const char *name, auto &value, const char *text) {
    app.add_option(name, value, text)->group(group)->capture_default_str();
  };
  add("--seed", s.seed, "Seed of the random numbers");
  add("--temperature", s.temperature, "Divides the logits; 0 is greedy");
  add("--top-k", s.top_k, "Only the k most probable tokens; 0: all");
  add("--top-p", s.top_p, "Only the tokens that make up this probability");
  add("--min-p", s.min_p, "Only tokens this probable relative to the best");
  add("--repeat-penalty", s.repeat_penalty,
      "Penalty of recent tokens; 1: none");
}

void addMachineOptions(CLI::App &app, Options &o) {
  const char *group = "Machine";
  app.add_option(
         "--threads", o.engine.threads,
         "Threads [the physical cores it may use, fewer for a tiny model]")
      ->check(atLeast(1))
      ->group(group);
  app.add_option("--batch-rows", o.engine.batch_rows,
                 "Tokens of one forward call at most")
      ->check(atLeast(1))
      ->capture_default_str()
      ->group(group);
  app.add_option("--kv-budget", o.engine.kv_bytes,
                 "Memory of the KV cache at most, as in 2GB [half of the "
                 "machine's]")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->group(group);
  app.add_option(
         "--load", o.load,
         "map: share the file's pages; copy: into huge pages of its own")
      ->check(CLI::IsMember({"map", "copy"}))
      ->capture_default_str()
      ->group(group);
}

void addOutputOptions(CLI::App &app, Options &o) {
  const char *group = "Output";
  app.add_flag(
         "--print-ids", o.printIds,
         "Generated ids on one line, 1,2,3, instead of text; the one that "
         "ends a reply included")
      ->group(group);
  app.add_option("--logits", o.logits,
                 "FILE.npy for float32 [rows, vocab], one row for every token "
                 "fed: the prompt's, then the generated ones' but the last")
      ->group(group);
  app.add_option("--beside-ids", o.besideIds,
                 "Ids of another sequence to run in the same forward calls; "
                 "repeatable. Changes nothing: for tests of that")
      ->expected(1)
      ->take_all()
      ->group(group);
  app.add_flag("--verbose", o.verbose, "Say more on stderr")->group(group);
  app.add_flag("--quiet", o.quiet, "Say nothing on stderr")->group(group);
}

/// Greedy unless an option of the standard sampler was given.
void chooseSampler(const CLI::App &app, Options &o) {
  bool knobs = false;
  for (const char *name :
       {"--temperature", "--top-k", "--top-p", "--min-p", "--repeat-penalty"}) {
    bool given = app.count(name) > 0;
    if (given && o.sampler == "greedy")
      throw CLI::ValidationError(name, "needs --sampler=standard");
    knobs |= given;
  }
  if (o.sampler.empty())
    o.sampler = knobs || app.count("--seed") ? "standard" : "greedy";
  if (o.sampler == "greedy")
    o.sampling.kind = LLAMART_SAMPLER_GREEDY;
}

std::vector<int32_t> parseIds(const char *option, std::string_view text) {
  std::vector<int32_t> ids;
  const char *next = text.data(), *end = next + text.size();
  while (next != end) {
    int32_t id = 0;
    auto [stop, error] = std::from_chars(next, end, id);
    bool separated = stop == end || (*stop == ',' && stop + 1 != end);
    if (error != std::errc() || !separated)
      throw CLI::ValidationError(option, "'" + std::string(text) +
                                             "' is not a list of ids: 1,2,3");
    ids.push_back(id);
    next = stop == end ? end : stop + 1;
  }
  return ids;
}

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

std::vector<int32_t> makePrompt(const Model &model, const Options &o) {
  if (o.promptIds)
    return parseIds("--prompt-ids", *o.promptIds);
  std::string text = o.promptFile ? readFile(*o.promptFile) : o.prompt.value();
  if (!o.chat) {
    llamart_encode_options options = LLAMART_ENCODE_OPTIONS;
    options.allow_special = o.special;
    return model.encode(text, options);
  }
  std::vector<Message> messages;
  if (o.system)
    messages.push_back({"system", *o.system});
  messages.push_back({"user", std::move(text)});
  return model.encodeChat(messages);
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
  Company(Engine &engine, const std::vector<std::string> &lists,
          const int64_t &mainTokens)
      : mainTokens(mainTokens) {
    for (const std::string &list : lists) {
      prompts.push_back(parseIds("--beside-ids", list));
      sessions.emplace_back(engine);
    }
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
  std::vector<std::vector<int32_t>> prompts;
  std::vector<Session> sessions;
};

void addPrinting(Job &job, const Options &o, Times &times, int64_t &tokens) {
  job.onToken = [&](int32_t id) {
    times.last = Clock::now();
    if (tokens++ == 0)
      times.first = times.last;
    if (o.printIds)
      print((tokens > 1 ? "," : "") + std::to_string(id));
    return true;
  };
  if (!o.printIds)
    job.onText = [](std::string_view text) {
      print(text);
      return true;
    };
}

void run(const Options &o) {
  Times times;
  llamart_model_options load = LLAMART_MODEL_OPTIONS;
  if (o.load == "copy")
    load.weights = LLAMART_WEIGHTS_COPIED;
  Model model(o.model, load);
  Engine engine(model, o.engine);
  times.loaded = Clock::now();
  if (o.verbose)
    printModel(model, engine);

  std::vector<int32_t> prompt = makePrompt(model, o);
  Sampler sampler(o.sampling);
  Session session(engine);
  std::unique_ptr<NpyFile> logits;
  if (o.logits)
    logits = std::make_unique<NpyFile>(*o.logits, model.getInfo().vocab);

  int64_t tokens = 0;
  Company company(engine, o.besideIds, tokens);
  std::vector<Job> jobs(1);
  Job &main = jobs.front();
  main.session = &session;
  main.sampler = &sampler;
  main.prompt = prompt;
  main.maxTokens = o.maxTokens;
  main.stops = o.stops;
  main.ignoreEos = o.ignoreEos;
  main.startsText = o.chat;
  addPrinting(main, o, times, tokens);
  if (logits)
    main.onLogits = [&](const float *data, int64_t rows) {
      logits->write(data, rows);
      return true;
    };
  company.addJobs(jobs);

  times.fed = Clock::now();
  generate(engine, jobs);
  if (tokens == 0)
    times.first = Clock::now();
  else
    print("\n");
  if (logits)
    logits->finish();
  if (!o.quiet)
    printTimes(times, jobs.front());
  for (size_t i = 1; o.verbose && i < jobs.size(); ++i)
    std::fprintf(stderr, "beside: %zu tokens; generated: %lld tokens\n",
                 jobs[i].prompt.size(),
                 static_cast<long long>(jobs[i].generated));
}

/// The arguments, last one first, as CLI11 wants them. It would take the next
/// argument for the value of "--prompt=".
std::vector<std::string> collectArguments(int argc, char **argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string argument = argv[i];
    bool empty = argument.starts_with("--") && argument.ends_with("=");
    if (empty) {
      arguments.emplace_back();
      argument.pop_back();
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

int runTool(int argc, char **argv) {
  CLI::App app("Generates text with a model.so", "llama-generate");
  Options options;
  app.add_option("MODEL.so", options.model, "The model")->required();
  app.set_version_flag("--version", std::string("llama-generate ") +
                                        llamart_version() + " (model ABI " +
                                        std::to_string(LLAMA_ABI_VERSION) +
                                        ")");
  addPromptOptions(app, options);
  addLengthOptions(app, options);
  addSamplerOptions(app, options);
  addMachineOptions(app, options);
  addOutputOptions(app, options);
  try {
    app.parse(collectArguments(argc, argv));
    checkPrompt(options);
    chooseSampler(app, options);
    run(options);
    return 0;
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
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
