//===- GenerateOptions.cpp - The command line of llama-generate -----------===//

#include "runtime/tools/generate/GenerateOptions.h"

#include "runtime/Text/ChatTemplate/ChatTemplate.h"
#include "runtime/abi/LlamaABI.h"
#include "runtime/tools/NearestOption.h"
#include "runtime/tools/generate/SamplerFlags.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <filesystem>
#include <map>
#include <stdexcept>

namespace llamart::tools {
namespace {

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

void addPromptOptions(CLI::App &app, GenerateOptions &o) {
  const char *group = "Prompt: one of the first three";
  app.add_option("--prompt", o.prompt, "Text to go on from")->group(group);
  app.add_option("--prompt-file", o.promptFile,
                 "File with that text; - is standard input")
      ->group(group);
  app.add_option_function<std::string>(
         "--prompt-ids",
         [&o](const std::string &text) {
           o.promptIds = parseIds("--prompt-ids", text);
         },
         "Token ids, 1,2,3, used as they are")
      ->group(group);
  app.add_flag("--special", o.special,
               "Control tokens written out in the prompt are tokens")
      ->group(group);
  app.add_flag("--chat", o.chat,
               "The prompt is a message; the model answers it. Without a "
               "prompt: a conversation, line by line")
      ->group(group);
  app.add_option("--system", o.system, "System message of the chat")
      ->group(group);
  app.add_option("--chat-template", o.chatTemplate,
                 "In place of the model's own: FILE.jinja, or one of " +
                     ChatTemplate::listNames())
      ->group(group);
  app.add_option("--template-option", o.templateOptions,
                 "NAME=JSON, a variable of the chat template, as in "
                 "enable_thinking=false; repeatable")
      ->expected(1)
      ->take_all()
      ->group(group);
  app.add_option("--messages", o.messages,
                 "FILE.json with a conversation to answer: {\"messages\": "
                 "[...], \"tools\": [...]}; in place of a prompt")
      ->group(group);
  app.add_option("--date", o.date,
                 "Today for templates that name it, as in \"26 Jul 2024\" "
                 "[today]")
      ->group(group);
  app.add_flag("--guard", o.guard,
               "A Llama Guard 3 judges the prompt, or --reply to it: prints "
               "safe, or unsafe and a line of categories")
      ->group(group);
  app.add_option("--reply", o.reply, "Reply to the prompt that --guard judges")
      ->group(group);
}

/// What single options cannot say about each other.
void checkTogether(const GenerateOptions &o) {
  auto check = [](bool holds, const char *rule) {
    if (!holds)
      throw CLI::ValidationError(rule);
  };
  int prompts = o.prompt.has_value() + o.promptFile.has_value() +
                o.promptIds.has_value() + o.messages.has_value();
  bool talks = o.chat && prompts == 0; // line by line
  check(prompts == 1 || talks,
        "give one of --prompt, --prompt-file, --prompt-ids, --messages");
  check(!talks ||
            (!o.printIds && !o.logits && !o.trace && o.concurrentIds.empty()),
        "--print-ids, --logits, --trace, --concurrent-ids need a prompt");
  check(!talks || !o.printPrompt, "--print-prompt needs a prompt");
  check(!o.messages || !o.system, "--messages excludes --system");
  check(o.templateOptions.empty() || o.chat, "--template-option needs --chat");
  check(!o.guard || (!o.chat && !o.promptIds && o.branches == 1),
        "--guard needs --prompt or --prompt-file, without --chat, --branches");
  check(!o.reply || o.guard, "--reply needs --guard");
  check(!o.chatTemplate || o.chat, "--chat-template needs --chat");
  check(!o.date || o.chat, "--date needs --chat");
  check(o.branches == 1 || (!talks && !o.trace && !o.logits && !o.printIds &&
                            o.concurrentIds.empty()),
        "--branches needs a prompt, without --trace, --logits, --print-ids, "
        "--concurrent-ids");
  check(!o.echo.value_or(false) ||
            (!o.chat && !o.guard && !o.printIds && o.branches == 1),
        "--echo needs text, without --chat, --guard, --print-ids, --branches");
  check(!o.chat || !o.promptIds, "--chat needs --prompt or --prompt-file");
  check(!o.special || !(o.chat || o.promptIds),
        "--special needs --prompt or --prompt-file, without --chat");
  check(!o.system || o.chat, "--system needs --chat");
  check(!o.verbose || !o.quiet, "--verbose and --quiet exclude each other");
}

/// Before anything else is asked for.
void checkModel(const std::string &path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw std::runtime_error(path + ": No such file or directory");
}

void addLengthOptions(CLI::App &app, GenerateOptions &o) {
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
  app.add_option("--branches", o.branches,
                 "Goes on in so many ways, one from each of the most probable "
                 "first tokens")
      ->check(CLI::Range(1, 64))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--ignore-eos", o.ignoreEos, "Go on when the model ends")
      ->group(group);
}

void addMachineOptions(CLI::App &app, GenerateOptions &o) {
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
  static const std::map<std::string, int32_t> kModes = {
      {"auto", LLAMART_WEIGHTS_AUTO},
      {"map", LLAMART_WEIGHTS_MAPPED},
      {"copy", LLAMART_WEIGHTS_COPIED}};
  app.add_option_function<std::string>(
         "--load",
         [&o](const std::string &mode) { o.load.weights = kModes.at(mode); },
         "map: share the file's pages; copy: into huge pages of its own; auto: "
         "map, and copy after the first token where memory allows [map]")
      ->check(CLI::IsMember({"auto", "map", "copy"}))
      ->group(group);
}

void addOutputOptions(CLI::App &app, GenerateOptions &o) {
  const char *group = "Output";
  app.add_flag(
         "--print-ids", o.printIds,
         "Generated ids on one line, 1,2,3, instead of text; the one that "
         "ends a reply included")
      ->group(group);
  app.add_flag("--print-prompt", o.printPrompt,
               "The prompt as the model gets it, or with --print-ids its ids, "
               "and nothing else")
      ->group(group);
  app.add_option("--logits", o.logits,
                 "FILE.npy for float32 [rows, vocab], one row for every token "
                 "fed: the prompt's, then the generated ones' but the last")
      ->group(group);
  // The second is its old name.
  for (const char *name : {"--concurrent-ids", "--beside-ids"})
    app.add_option_function<std::vector<std::string>>(
           name,
           [&o, name](const std::vector<std::string> &lists) {
             for (const std::string &text : lists)
               o.concurrentIds.push_back(parseIds(name, text));
           },
           "Ids of another sequence to run in the same forward calls; "
           "repeatable. Changes nothing: for tests of that")
        ->expected(1)
        ->take_all()
        ->group(name == std::string_view("--beside-ids") ? "" : group);
  app.add_option("--trace", o.trace,
                 "FILE.jsonl for a line about every token: what the sampler "
                 "saw, its state, the candidates; llama-measure trace shows it")
      ->group(group);
  app.add_flag_callback(
         "--echo", [&o] { o.echo = true; },
         "The prompt, too, before what follows [on a terminal only]")
      ->group(group);
  app.add_flag_callback(
         "--no-echo", [&o] { o.echo = false; },
         "Only what follows, on a terminal, too")
      ->group(group);
  app.add_flag("--color{auto}", o.color,
               "Colour each token by the sampler's state, or by its surprise; "
               "=always: even if this is not a terminal")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->group(group);
  app.add_flag("--verbose", o.verbose, "Say more on stderr")->group(group);
  app.add_flag("--quiet", o.quiet, "Say nothing on stderr")->group(group);
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

} // namespace

std::optional<int> readCommandLine(int argc, char **argv,
                                   GenerateOptions &options) {
  CLI::App app("Generates text with a model.so", "llama-generate");
  app.add_option("MODEL.so", options.model, "The model")->required();
  app.set_version_flag("--version", std::string("llama-generate ") +
                                        llamart_version() + " (model ABI " +
                                        std::to_string(LLAMA_ABI_VERSION) +
                                        ")");
  addPromptOptions(app, options);
  addLengthOptions(app, options);
  SamplerFlags sampler;
  sampler.add(app);
  addMachineOptions(app, options);
  addOutputOptions(app, options);
  try {
    app.parse(collectArguments(argc, argv));
    checkModel(options.model);
    options.chat |= options.messages.has_value();
    checkTogether(options);
    options.samplerConfig = sampler.makeConfig(options.sampling.kind);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    return explainCommandLine(app, error);
  }
}

} // namespace llamart::tools
