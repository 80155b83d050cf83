//===- Conversation.cpp - A chat, line by line ----------------------------===//

#include "runtime/tools/generate/Conversation.h"

#include "files/InputFiles.h"
#include "files/WholeFile.h"
#include "runtime/tools/generate/Prompt.h"
#include "runtime/tools/generate/ReplyEnds.h"
#include "runtime/tools/generate/Streams.h"
#include "runtime/tools/generate/TokenColors.h"
#include "runtime/tools/generate/TypedLines.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <unistd.h>

namespace llamart::tools {
namespace {

constexpr const char *kHelp =
    "/reset         forgets the conversation, not the system message\n"
    "/system TEXT   another system message; forgets the conversation\n"
    "/save FILE     writes the conversation as JSON\n"
    "/quit          ends, as Ctrl-D does; Ctrl-C stops a reply\n";

class Conversation {
public:
  Conversation(const api::Model &model, api::Engine &engine,
               const api::Sampler &sampler, const GenerateOptions &options)
      : model(model), engine(engine), sampler(sampler), o(options),
        session(engine), ends(model, options) {
    if (o.color == "always" || (o.color == "auto" && isatty(STDOUT_FILENO)))
      colors = std::make_unique<TokenColors>();
    system = o.system.value_or("");
    reset();
  }

  void run();

private:
  /// Whether a person types, who is told what there is to type.
  bool isInteractive() const { return isatty(STDIN_FILENO) && !o.quiet; }
  void tell(const std::string &what) const {
    if (isInteractive())
      std::fprintf(stderr, "%s\n", what.c_str());
  }
  bool readLine(std::string &line);
  void reset();
  bool obey(const std::string &line); // false: the end
  void save(const std::string &path) const;
  void answer(const std::string &line);
  std::string reply();
  void printStatistics(const api::Job &job, size_t kept,
                       std::chrono::steady_clock::time_point start) const;
  void say(std::string_view text) const;

  const api::Model &model;
  api::Engine &engine;
  const api::Sampler &sampler;
  const GenerateOptions &o;
  api::Session session;
  ReplyEnds ends;
  TypedLines lines;
  std::unique_ptr<TokenColors> colors;
  std::string system;
  std::vector<api::Message> messages;
};

void Conversation::say(std::string_view text) const {
  print(colors ? colors->paint(text) : std::string(text));
}

bool Conversation::readLine(std::string &line) {
  if (isInteractive())
    std::fprintf(stderr, "> ");
  return lines.read(line);
}

void Conversation::reset() {
  messages.clear();
  if (!system.empty())
    messages.push_back({"system", system});
}

void Conversation::save(const std::string &path) const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const api::Message &message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  llamafiles::WholeFile file(path, llamafiles::Order::Streamed);
  file.write(list.dump(2, ' ', false,
                       nlohmann::ordered_json::error_handler_t::replace) +
             "\n");
  file.finish();
}

bool Conversation::obey(const std::string &line) {
  size_t space = line.find(' ');
  std::string command = line.substr(0, space);
  std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (command == "/quit")
    return false;
  if (command == "/reset") {
    reset();
    tell("a new conversation");
  } else if (command == "/system") {
    system = rest;
    reset();
    tell("a new conversation, with that system message");
  } else if (command == "/save" && !rest.empty()) {
    save(rest);
    tell("saved " + std::to_string(messages.size()) + " messages");
  } else {
    if (command != "/help" && command != "/save")
      tell("there is no " + command);
    std::fprintf(stderr, "%s", kHelp);
  }
  return true;
}

/// Feeds what the cache does not have yet of the conversation, and generates.
std::string Conversation::reply() {
  std::vector<int32_t> ids = encodeChat(model, messages, o);
  std::span<const int32_t> known = session.getIds();
  size_t same = std::ranges::mismatch(ids, known).in1 - ids.begin();
  same = std::min(same, ids.size() - 1); // something must be fed
  session.truncate(static_cast<int64_t>(same));

  std::string text;
  std::vector<api::Job> jobs(1);
  api::Job &job = jobs.front();
  job.session = &session;
  job.sampler = &sampler;
  job.prompt = std::span(ids).subspan(same);
  job.maxTokens = o.maxTokens;
  job.stops = o.stops;
  job.ignoreEos = o.ignoreEos;
  job.startsText = true;
  job.onToken = [this](int32_t id) {
    return !TypedLines::isInterrupted() && !ends.contain(id);
  };
  job.onText = [&](std::string_view piece) {
    text += piece;
    say(piece);
    return true;
  };
  if (colors)
    job.onStep = [this](const llamart_step &step) {
      colors->look(step);
      return true;
    };
  auto start = std::chrono::steady_clock::now();
  api::generate(engine, jobs);
  if (o.verbose)
    printStatistics(job, same, start);
  return text;
}

/// After the reply, on a line of its own.
void Conversation::printStatistics(
    const api::Job &job, size_t kept,
    std::chrono::steady_clock::time_point start) const {
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::fprintf(stderr,
               "\n%zu tokens of the conversation kept, %zu fed; generated: "
               "%lld tokens, in %.1f ms",
               kept, job.prompt.size(),
               static_cast<long long>(job.result.generated),
               1e3 * took.count());
}

void Conversation::answer(const std::string &line) {
  messages.push_back({"user", line});
  try {
    messages.push_back({"assistant", reply()});
  } catch (const api::Error &error) {
    if (error.getKind() != LLAMART_ERROR_CONTEXT)
      throw;
    messages.pop_back();
    std::fprintf(stderr, "%s; /reset begins anew\n", error.what());
  }
  if (colors)
    colors->rest();
  say("\n");
}

void Conversation::run() {
  llamafiles::noteInput(STDIN_FILENO);
  if (isInteractive())
    std::fprintf(stderr, "/help lists what can be typed besides messages; "
                         "Ctrl-D ends\n");
  std::string line;
  while (readLine(line)) {
    if (line.starts_with('/')) {
      try {
        if (!obey(line))
          return;
      } catch (const std::runtime_error &error) {
        std::fprintf(stderr, "%s\n", error.what()); // a file not written
      }
    } else if (!line.empty()) {
      answer(line);
      TypedLines::forgetInterrupt();
    }
  }
  if (isInteractive())
    std::fprintf(stderr, "\n"); // what comes next is not for this prompt
  if (std::string legend = colors ? colors->getLegend() : "";
      !legend.empty() && !o.quiet)
    std::fprintf(stderr, "%s\n", legend.c_str());
}

} // namespace

void converse(const api::Model &model, api::Engine &engine,
              const api::Sampler &sampler, const GenerateOptions &options) {
  (void)encodeChat(model, std::vector<api::Message>{{"user", "?"}}, options);
  Conversation(model, engine, sampler, options).run();
}

} // namespace llamart::tools
