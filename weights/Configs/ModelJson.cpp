//===- ModelJson.cpp - model.json, written by hand ------------------------===//
//
// One function for each object of the file, in the order of the schema.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/ModelJson.h"

#include "weights/Configs/OutputTokens.h"
#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

void readHeads(JsonObject &model, ModelConfig &config) {
  auto heads = model.readObject("heads");
  if (!heads)
    return;
  heads->read("query", config.heads);
  heads->read("kv", config.kvHeads);
  heads->read("dim", config.headDim);
  model.absorb(*heads);
}

/// The numbers of one rule; that of Llama 3.1 needs no name.
void readScaling(JsonObject &object, ModelConfig &config) {
  RopeScaling scaling;
  std::string type = "llama3";
  object.find("type", type);
  auto rule = findRopeRule(type);
  if (!rule)
    return object.fail("type", "expected 'linear', 'llama3' or 'yarn', found " +
                                   quote(type));
  scaling.rule = *rule;
  object.read("factor", scaling.factor);
  if (*rule == RopeRule::Llama3) {
    object.read("low_freq_factor", scaling.lowFreqFactor);
    object.read("high_freq_factor", scaling.highFreqFactor);
  }
  if (*rule != RopeRule::Linear)
    object.read("original_max_positions", scaling.originalMaxPositions);
  if (*rule == RopeRule::Yarn) {
    object.find("beta_fast", scaling.betaFast);
    object.find("beta_slow", scaling.betaSlow);
    object.find("truncate", scaling.truncate);
    config.ropeAttentionFactor = getYarnAttentionFactor(scaling.factor);
  }
  config.ropeScaling = scaling;
}

void readRope(JsonObject &model, ModelConfig &config) {
  auto rope = model.readObject("rope");
  if (!rope)
    return;
  rope->read("theta", config.ropeTheta);
  if (auto object = rope->findObject("scaling")) {
    readScaling(*object, config);
    rope->absorb(*object);
  }
  rope->find("attention_factor", config.ropeAttentionFactor);
  model.absorb(*rope);
}

void readWeights(JsonObject &model, ModelJson &result) {
  auto weights = model.readObject("weights");
  if (!weights)
    return;
  std::string format;
  weights->read("format", format);
  weights->read("path", result.weightsPath);
  if (auto known = findFormat(format))
    result.format = *known;
  else
    weights->fail("format",
                  "expected " + listFormats() + ", found " + quote(format));
  model.absorb(*weights);
}

/// A string is the template; {"file": "..."} says where it is.
void readChatTemplate(JsonObject &model, ModelJson &result) {
  const json *found = model.get("chat_template");
  if (!found || found->is_null())
    return;
  if (!found->is_object())
    return model.find("chat_template", result.chatTemplate);
  if (auto object = model.findObject("chat_template")) {
    object->read("file", result.chatTemplatePath.emplace());
    model.absorb(*object);
  }
}

/// A list of tokens; {"file": "..."} says where it is.
void readOutputTokens(JsonObject &model, ModelJson &result) {
  const json *found = model.get("output_tokens");
  if (!found || !found->is_object())
    return findOutputTokens(model, result.config);
  if (auto object = model.findObject("output_tokens")) {
    object->read("file", result.outputMapPath.emplace());
    model.absorb(*object);
  }
}

} // namespace

Expected<ModelJson> parseModelJson(StringRef text, StringRef where) {
  Expected<json> parsed = parseJson(text, where);
  if (!parsed)
    return parsed.takeError();

  ModelJson result;
  ModelConfig &config = result.config;
  JsonObject model(where, *parsed);
  model.find("name", result.name);
  model.read("hidden", config.hidden);
  model.read("ffn", config.ffn);
  model.read("vocab", config.vocab);
  model.read("layers", config.layers);
  readHeads(model, config);
  model.read("norm_eps", config.normEps);
  readRope(model, config);
  model.read("max_seq_len", config.maxSeqLen);
  model.read("tied_embeddings", config.tiedEmbeddings);
  readOutputTokens(model, result);
  model.find("bos_token", config.bosToken);
  model.findIntegers("eos_tokens", config.eosTokens);
  readWeights(model, result);
  model.find("tokenizer", result.tokenizerPath);
  readChatTemplate(model, result);
  if (Error error = model.finish())
    return std::move(error);
  if (Error error = config.validate(where))
    return std::move(error);
  return result;
}

} // namespace llamaweights
