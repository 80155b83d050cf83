//===- SamplerFlags.cpp - The sampler on a command line -------------------===//

#include "runtime/tools/generate/SamplerFlags.h"

#include "files/InputFiles.h"
#include "llamart/llamart.h"
#include "runtime/Sampler/DirichletSampler.h"
#include "runtime/Sampler/EntropySampler.h"
#include "runtime/Sampler/SamplerConfig.h"
#include "runtime/Sampler/StandardSampler.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

using nlohmann::json;

namespace llamart::tools {
namespace {

std::string getFlag(std::string key) {
  std::ranges::replace(key, '_', '-');
  return "--" + key;
}

/// Other names that llama.cpp has for a flag.
std::string getAliases(std::string_view key) {
  if (key == "temperature")
    return ",--temp";
  if (key == "top_n_sigma")
    return ",--top-nsigma";
  if (key == "typical_p")
    return ",--typical";
  if (key == "dynatemp_exponent")
    return ",--dynatemp-exp";
  if (key == "mirostat_eta")
    return ",--mirostat-lr";
  if (key == "mirostat_tau")
    return ",--mirostat-ent";
  return "";
}

/// llama.cpp's letters for the steps.
const char *getStepName(char letter) {
  switch (letter) {
  case 'e':
    return "penalties";
  case 'd':
    return "dry";
  case 's':
    return "top_n_sigma";
  case 'k':
    return "top_k";
  case 'y':
    return "typ_p";
  case 'p':
    return "top_p";
  case 'm':
    return "min_p";
  case 'x':
    return "xtc";
  case 't':
    return "temperature";
  default:
    throw CLI::ValidationError("--sampler-seq",
                               std::string("'") + letter +
                                   "' is not a step, expected letters of "
                                   "edskypmxt");
  }
}

/// CLI11 would take "nan", "inf" and, as infinity, "1e999".
std::string checkFinite(const std::string &text) {
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || std::isfinite(value))
    return ""; // what is no number CLI11 complains about
  return "is '" + text + "', expected a finite number";
}

/// CLI11 would take the largest of 64 bits for a larger one.
std::string checkSeed(const std::string &text) {
  uint64_t value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size())
    return "";
  return "is '" + text + "', expected a whole number from 0 to " +
         std::to_string(UINT64_MAX);
}

/// "128+1.5", "128-inf"
void addBias(const std::string &text, json &biases) {
  int32_t id = 0;
  const char *end = text.data() + text.size();
  auto [sign, error] = std::from_chars(text.data(), end, id);
  std::string number(sign, end);
  size_t used = 0;
  double bias = 0.0;
  try {
    bias = std::stod(number, &used);
  } catch (const std::exception &) {
    used = 0;
  }
  bool whole = error == std::errc() && used > 0 && used == number.size() &&
               (std::isfinite(bias) || bias < 0);
  if (!whole || id < 0 || (number[0] != '+' && number[0] != '-'))
    throw CLI::ValidationError(
        "--logit-bias",
        "'" + text + "' is not ID+BIAS or ID-BIAS, as in 128-inf");
  biases[std::to_string(id)] = bias < -1e30 ? json(false) : json(bias);
}

/// "low_entropy=0.2": the value is JSON or else a text.
void addOption(const std::string &text, json &config) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos)
    throw CLI::ValidationError("--sampler-option",
                               "'" + text + "' is not NAME=VALUE");
  std::string value = text.substr(equals + 1);
  json parsed = json::parse(value, nullptr, /*allow_exceptions=*/false);
  config[text.substr(0, equals)] = parsed.is_discarded() ? json(value) : parsed;
}

json readConfig(const std::string &path) {
  llamafiles::noteInput(path);
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf()))
    throw std::runtime_error(path + ": cannot be read");
  json config = json::parse(text.str(), nullptr, /*allow_exceptions=*/false);
  if (!config.is_object())
    throw std::runtime_error(path +
                             ": is not a JSON object of sampler options");
  return config;
}

} // namespace

void SamplerFlags::addNumbers(CLI::App &app) {
  const SamplerOptions defaults;
  for (const OptionField<SamplerOptions> &field : getStandardFields()) {
    std::string key(field.name);
    app.add_option_function<double>(
           getFlag(key) + getAliases(key),
           [this, at = &field](double value) {
             numbers[std::string(at->name)] = value;
           },
           std::string(field.text))
        ->check(CLI::Validator(checkFinite, ""))
        ->default_str((std::stringstream() << field.get(defaults)).str())
        ->group("Sampling");
  }
}

void SamplerFlags::addTexts(CLI::App &app) {
  const char *group = "Sampling";
  app.add_option("--samplers", steps,
                 "Steps of the standard sampler in their order")
      ->default_str(listChainSteps())
      ->group(group);
  app.add_option("--sampler-seq,--sampling-seq", sequence,
                 "The same in letters: edskypmxt")
      ->group(group);
  app.add_option("--logit-bias", biases,
                 "ID+BIAS or ID-BIAS, added to a token's logit; repeatable")
      ->expected(1)
      ->take_all()
      ->group(group);
  app.add_option("--dry-sequence-breaker", breakers,
                 "DRY: text at which a repetition ends, none for none; "
                 "repeatable [newline, colon, quote, star]")
      ->expected(1)
      ->take_all()
      ->group(group);
}

void SamplerFlags::add(CLI::App &app) {
  const char *group = "Sampling";
  app.add_option("--sampler", sampler,
                 "One of " + listSamplers() +
                     " [greedy; standard if one of the options below is given]")
      ->group(group);
  app.add_option("--sampler-mode", mode,
                 "Of the entropy samplers: exact, as they were meant, or "
                 "compat, with the published programs' bugs [exact]")
      ->group(group);
  app.add_option("--sampler-config", configFile,
                 "JSON file of sampler options; flags win over it")
      ->group(group);
  app.add_option("--sampler-option", options,
                 "NAME=VALUE, any option of any sampler; repeatable")
      ->expected(1)
      ->take_all()
      ->group(group);
  app.add_flag_callback(
         "--help-samplers",
         [] { throw CLI::CallForVersion(describeSamplers(), 0); },
         "All samplers with all their options and defaults")
      ->group(group);
  app.add_option("-s,--seed", seed, "Seed of the random numbers [0]")
      ->check(CLI::Validator(checkSeed, ""))
      ->group(group);
  addNumbers(app);
  addTexts(app);
}

std::string SamplerFlags::makeConfig(int32_t &kind) const {
  json config = configFile ? readConfig(*configFile) : json::object();
  for (const auto &[key, value] : numbers)
    config[key] = value;
  if (seed)
    config["seed"] = *seed;
  if (mode)
    config["mode"] = *mode;
  if (steps)
    config["samplers"] = *steps;
  if (sequence) {
    config["samplers"] = json::array();
    for (char letter : *sequence)
      config["samplers"].push_back(getStepName(letter));
  }
  for (const std::string &bias : biases)
    addBias(bias, config["logit_bias"]);
  if (!breakers.empty())
    config["dry_sequence_breakers"] =
        breakers.back() == "none" ? json::array() : json(breakers);
  for (const std::string &option : options)
    addOption(option, config);
  if (sampler)
    config["sampler"] = *sampler;
  if (config.empty())
    kind = LLAMART_SAMPLER_GREEDY;
  if (sampler == "greedy" && !numbers.empty())
    throw CLI::ValidationError(getFlag(numbers.begin()->first),
                               "needs --sampler=standard");
  return config.empty() ? "" : config.dump();
}

namespace {
template <typename Options>
json findThresholds(const json &config,
                    std::span<const OptionField<Options>> fields,
                    const Options &defaults, double unit) {
  json result;
  for (const char *name : {"low_entropy", "medium_entropy", "high_entropy",
                           "low_varentropy", "high_varentropy"}) {
    double value = findField(fields, name)->get(defaults);
    bool squared = std::string_view(name).ends_with("varentropy");
    result[name] = config.value(name, value) * unit * (squared ? unit : 1.0);
  }
  return result;
}
} // namespace

std::string getThresholds(const std::string &text) {
  json config = json::parse(text.empty() ? "{}" : text);
  std::string name = config.value("sampler", "");
  constexpr double kBitsPerNat = 1.4426950408889634;
  if (name == "entropix-v5")
    return findThresholds(config, getDirichletFields(), DirichletOptions(),
                          kBitsPerNat)
        .dump();
  for (auto [known, version] : {std::pair("entropy", EntropixVersion::V2),
                                std::pair("entropix-v2", EntropixVersion::V2),
                                std::pair("entropix-v3", EntropixVersion::V3),
                                std::pair("entropix-v4", EntropixVersion::V4)})
    if (name == known)
      return findThresholds(config, getEntropyFields(version),
                            getEntropyDefaults(version), 1.0)
          .dump();
  return "null";
}

//===----------------------------------------------------------------------===//
// Help
//===----------------------------------------------------------------------===//

namespace {
template <typename Options>
void describe(std::ostream &out, const char *title,
              std::span<const OptionField<Options>> fields,
              const Options &defaults) {
  out << title << '\n';
  for (const OptionField<Options> &field : fields) {
    std::ostringstream value;
    value << field.get(defaults);
    out << "  " << field.name
        << std::string(40 - std::min<size_t>(39, field.name.size()), ' ')
        << value.str()
        << std::string(10 - std::min<size_t>(9, value.str().size()), ' ')
        << field.text << '\n';
  }
}
} // namespace

std::string describeSamplers() {
  std::ostringstream out;
  out << "Options by sampler, with their defaults: --sampler-option=NAME=VALUE "
         "or keys of\na --sampler-config file, where \"sampler\" names the "
         "sampler. All have \"seed\".\n\n";
  describe(out, "standard", getStandardFields(), SamplerOptions());
  out << "  samplers, logit_bias {\"ID\": BIAS}, dry_sequence_breakers [TEXT]\n"
         "\nThe entropy samplers also have mode (exact or compat) and clarify, "
         "the text of the\nclarifying token (\" ...\"; \"\" for none). H, V: "
         "entropy and varentropy of the\nlogits, AE, AV: of the last layer's "
         "attention, AG: agreement of its heads, IS: its\nstrength.\n";
  for (auto [title, version] :
       {std::pair("\nentropix-v2, entropy", EntropixVersion::V2),
        std::pair("\nentropix-v3", EntropixVersion::V3),
        std::pair("\nentropix-v4", EntropixVersion::V4)})
    describe(out, title, getEntropyFields(version),
             getEntropyDefaults(version));
  describe(out, "\nentropix-v5", getDirichletFields(), DirichletOptions());
  return out.str();
}

} // namespace llamart::tools
