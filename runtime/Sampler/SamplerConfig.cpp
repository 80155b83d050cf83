//===- SamplerConfig.cpp - Samplers from JSON -----------------------------===//

#include "runtime/Sampler/SamplerConfig.h"

#include "runtime/Error.h"
#include "runtime/Sampler/DirichletSampler.h"
#include "runtime/Sampler/EntropySampler.h"
#include "runtime/Sampler/StandardSampler.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

using namespace llamart;
using nlohmann::json;

namespace {

[[noreturn]] void fail(std::string_view key, const json &value,
                       std::string_view expected) {
  throw Error(ErrorKind::Argument, "sampler: ", key, " is ", value.dump(),
              ", expected ", expected);
}

json parse(std::string_view text) {
  json config;
  try {
    config = json::parse(text.begin(), text.end());
  } catch (const json::parse_error &error) {
    throw Error(ErrorKind::Argument, "sampler: byte ", error.byte,
                " of the configuration is not JSON");
  }
  if (!config.is_object())
    throw Error(ErrorKind::Argument,
                "sampler: the configuration is not a JSON object");
  return config;
}

const std::string &getText(std::string_view key, const json &value) {
  if (!value.is_string())
    fail(key, value, "a text");
  return value.get_ref<const std::string &>();
}

uint64_t readSeed(const json &value) {
  if (!value.is_number_unsigned())
    fail("seed", value, "a whole number from 0 on");
  return value.get<uint64_t>();
}

//===----------------------------------------------------------------------===//
// The standard sampler
//===----------------------------------------------------------------------===//

/// "top_k;temperature" or a list of such names.
std::vector<ChainStep> readSteps(const json &value) {
  std::vector<std::string> names;
  if (value.is_array()) {
    for (const json &name : value)
      names.push_back(getText("samplers", name));
  } else {
    std::string_view rest = getText("samplers", value);
    while (!rest.empty()) {
      size_t end = std::min(rest.find(';'), rest.size());
      names.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  std::vector<ChainStep> steps;
  for (const std::string &name : names) {
    std::optional<ChainStep> step = findChainStep(name);
    if (!step)
      fail("samplers", name, "some of " + listChainSteps());
    steps.push_back(*step);
  }
  return steps;
}

/// {"42": -1.5, "7": false}: false is never.
std::vector<LogitBias> readBiases(const json &value) {
  if (!value.is_object())
    fail("logit_bias", value, "an object of token ids and numbers");
  std::vector<LogitBias> biases;
  for (const auto &[key, bias] : value.items()) {
    LogitBias &entry = biases.emplace_back();
    auto [end, error] =
        std::from_chars(key.data(), key.data() + key.size(), entry.id);
    if (error != std::errc() || end != key.data() + key.size() || entry.id < 0)
      fail("logit_bias", key, "a token id");
    if (bias.is_number())
      entry.bias = bias.get<float>();
    else if (bias == json(false))
      entry.bias = -std::numeric_limits<float>::infinity();
    else
      fail("logit_bias", bias, "a number, or false for never");
  }
  return biases;
}

template <typename Options>
void setNumber(const OptionField<Options> &field, const json &value,
               Options &options) {
  if (field.isSwitch() && value.is_boolean())
    return field.set(options, value.get<bool>());
  if (!value.is_number())
    fail(field.name, value, "a number");
  field.set(options, value.get<double>());
}

SamplerOptions readStandard(const json &config, const SamplerBase &base) {
  SamplerOptions options = base.standard;
  std::vector<std::string> breakers = {"\n", ":", "\"", "*"};
  for (const auto &[key, value] : config.items()) {
    if (const auto *field = findField(getStandardFields(), key))
      setNumber(*field, value, options);
    else if (key == "seed")
      options.seed = readSeed(value);
    else if (key == "samplers")
      options.steps = readSteps(value);
    else if (key == "logit_bias")
      options.logitBias = readBiases(value);
    else if (key == "dry_sequence_breakers" && value.is_array())
      for (breakers.clear(); const json &text : value)
        breakers.push_back(getText(key, text));
    else if (key == "dry_sequence_breakers")
      fail(key, value, "a list of texts");
    else if (key != "sampler")
      throw Error(ErrorKind::Argument, "sampler: '", key,
                  "' is not an option of the standard sampler");
  }
  if (options.dryMultiplier != 0.0f && base.tokenizer)
    for (const std::string &text : breakers)
      for (DryBreaker &breaker : findBreakers(*base.tokenizer, text))
        options.dryBreakers.push_back(std::move(breaker));
  return options;
}

//===----------------------------------------------------------------------===//
// The entropy samplers
//===----------------------------------------------------------------------===//

bool readMode(const json &value) {
  const std::string &mode = getText("mode", value);
  if (mode != "exact" && mode != "compat")
    fail("mode", value, "exact or compat");
  return mode == "compat";
}

/// The token of the text; -1 if it is not the text of one, unless it was asked
/// for. An empty text: none.
int32_t findClarifyToken(const json &config, const Tokenizer *tokenizer) {
  bool asked = config.contains("clarify");
  std::string text = asked ? getText("clarify", config["clarify"]) : " ...";
  if (text.empty() || (!asked && !tokenizer))
    return -1;
  if (!tokenizer)
    fail("clarify", text, "no text: the model has no tokenizer");
  if (std::optional<int32_t> id = tokenizer->findToken(text))
    return *id;
  EncodeOptions plain;
  plain.bos = AddToken::Never;
  std::vector<int32_t> ids = tokenizer->encode(text, plain);
  if (ids.size() != 1 && text.starts_with(' ')) // where a text begins with one
    ids = tokenizer->encode(std::string_view(text).substr(1), plain);
  if (ids.size() == 1)
    return ids.front();
  if (asked)
    fail("clarify", text, "the text of one token");
  return -1;
}

template <typename Options>
Options readEntropy(const json &config, const SamplerBase &base,
                    std::span<const OptionField<Options>> fields,
                    Options options, std::string_view name) {
  options.seed = base.standard.seed;
  for (const auto &[key, value] : config.items()) {
    if (const auto *field = findField(fields, key))
      setNumber(*field, value, options);
    else if (key == "seed")
      options.seed = readSeed(value);
    else if (key == "mode")
      options.compat = readMode(value);
    else if (key != "sampler" && key != "clarify")
      throw Error(ErrorKind::Argument, "sampler: '", key,
                  "' is not an option of the sampler ", name);
  }
  options.clarifyToken = findClarifyToken(config, base.tokenizer);
  return options;
}

constexpr auto kVersions =
    std::to_array<std::pair<std::string_view, EntropixVersion>>({
        {"entropy", EntropixVersion::V2},
        {"entropix-v2", EntropixVersion::V2},
        {"entropix-v3", EntropixVersion::V3},
        {"entropix-v4", EntropixVersion::V4},
    });

} // namespace

std::vector<DryBreaker> llamart::findBreakers(const Tokenizer &tokenizer,
                                              std::string_view text) {
  std::vector<DryBreaker> result;
  if (text.empty())
    return result;
  std::vector<std::vector<int32_t>> tails(text.size()); // after `size` bytes
  EncodeOptions plain;
  plain.bos = AddToken::Never;
  for (size_t size = 1; size < text.size(); ++size)
    tails[size] = tokenizer.encode(text.substr(size), plain);
  for (int32_t id = 0; id < tokenizer.getVocabSize(); ++id) {
    std::string_view bytes = tokenizer.tokenBytes(id);
    if (bytes.find(text) != std::string_view::npos) {
      result.push_back({id, {}});
      continue;
    }
    for (size_t size = 1; size < text.size(); ++size)
      if (bytes.ends_with(text.substr(0, size)))
        result.push_back({id, tails[size]});
  }
  return result;
}

SamplerOptions llamart::readStandardOptions(std::string_view text,
                                            const SamplerBase &base) {
  return readStandard(parse(text), base);
}

std::string llamart::listSamplers() {
  return "greedy, standard, entropy, entropix-v2, entropix-v3, entropix-v4, "
         "entropix-v5";
}

std::shared_ptr<const Sampler> llamart::createSampler(std::string_view text,
                                                      const SamplerBase &base) {
  json config = parse(text);
  std::string name = base.sampler;
  if (config.contains("sampler"))
    name = getText("sampler", config["sampler"]);
  if (name == "greedy") {
    SamplerOptions options = readStandard(config, base);
    options.temperature = 0.0f;
    return createStandardSampler(options);
  }
  if (name == "standard")
    return createStandardSampler(readStandard(config, base));
  for (auto [known, version] : kVersions)
    if (known == name)
      return createEntropySampler(
          readEntropy(config, base, getEntropyFields(version),
                      getEntropyDefaults(version), name));
  if (name == "entropix-v5")
    return createDirichletSampler(readEntropy(
        config, base, getDirichletFields(), DirichletOptions(), name));
  fail("sampler", name, "one of " + listSamplers());
}
