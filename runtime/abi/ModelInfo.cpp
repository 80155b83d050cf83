//===- ModelInfo.cpp - What a model.so says about itself ------------------===//

#include "runtime/abi/ModelInfo.h"

#include "runtime/Error.h"
#include "runtime/abi/LlamaABI.h"

#include <limits>
#include <nlohmann/json.hpp>

using namespace llamart;
using nlohmann::json;

namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

// One JSON object and the words that lead to it, for messages.
class Reader {
public:
  Reader(const std::string &where, const json &object, const std::string &key)
      : where(where), object(object), prefix(key.empty() ? "" : key + ".") {
    if (!object.is_object())
      fail(key.empty() ? "the text" : key, "is not an object");
  }

  Reader getObject(const char *key) const {
    return Reader(where, find(key), prefix + key);
  }

  std::vector<Reader> getObjects(const char *key) const {
    std::vector<Reader> result;
    for (const json &value : getArray(key))
      result.emplace_back(where, value, prefix + key);
    return result;
  }

  const json &find(const char *key) const {
    auto it = object.find(key);
    if (it == object.end())
      fail(prefix + key, "is missing");
    return *it;
  }

  int64_t getInt(const char *key, int64_t low, int64_t high) const {
    const json &value = find(key);
    if (!value.is_number_integer())
      fail(prefix + key, "is not a whole number");
    return checkRange(prefix + key, value, low, high);
  }

  bool getBool(const char *key) const {
    const json &value = find(key);
    if (!value.is_boolean())
      fail(prefix + key, "is not true or false");
    return value.get<bool>();
  }

  std::string getString(const char *key) const {
    const json &value = find(key);
    if (!value.is_string())
      fail(prefix + key, "is not a string");
    return value.get<std::string>();
  }

  std::vector<std::string> getStrings(const char *key) const {
    std::vector<std::string> result;
    for (const json &value : getArray(key)) {
      if (!value.is_string())
        fail(prefix + key, "holds something that is not a string");
      result.push_back(value.get<std::string>());
    }
    return result;
  }

  std::vector<int32_t> getTokens(const char *key, int64_t vocab) const {
    std::vector<int32_t> result;
    for (const json &value : getArray(key)) {
      if (!value.is_number_integer())
        fail(prefix + key, "holds something that is not a whole number");
      result.push_back(checkRange(prefix + key, value, 0, vocab - 1));
    }
    return result;
  }

  [[noreturn]] void fail(const std::string &key,
                         const std::string &what) const {
    throw Error(ErrorKind::Model, where, ": llama_info: ", key, " ", what);
  }

private:
  const json &getArray(const char *key) const {
    const json &value = find(key);
    if (!value.is_array())
      fail(prefix + key, "is not a list");
    return value;
  }

  int64_t checkRange(const std::string &key, const json &value, int64_t low,
                     int64_t high) const {
    // Beyond int64 the value is unsigned; the largest stands for those.
    bool huge = value.is_number_unsigned() &&
                value.get<uint64_t>() > uint64_t(INT64_MAX);
    int64_t number = huge ? INT64_MAX : value.get<int64_t>();
    if (number < low || number > high || huge)
      fail(key, "is " + value.dump() + ", expected " + std::to_string(low) +
                    " to " + std::to_string(high));
    return number;
  }

  const std::string &where;
  const json &object;
  std::string prefix;
};

void readShape(const Reader &root, ModelInfo &info) {
  info.hidden = root.getInt("hidden", 1, kMaxInt32);
  info.ffn = root.getInt("ffn", 1, kMaxInt32);
  info.vocab = root.getInt("vocab", 1, kMaxInt32);
  info.layers = root.getInt("layers", 1, kMaxInt32);
  Reader heads = root.getObject("heads");
  info.heads = heads.getInt("query", 1, kMaxInt32);
  info.kvHeads = heads.getInt("kv", 1, kMaxInt32);
  info.headDim = heads.getInt("dim", 1, kMaxInt32);
  info.maxSeqLen = root.getInt("max_seq_len", 1, kMaxInt32);
  if (!root.find("bos_token").is_null())
    info.bosToken = root.getInt("bos_token", 0, info.vocab - 1);
  info.eosTokens = root.getTokens("eos_tokens", info.vocab);
}

void readWeights(const Reader &weights, ModelInfo &info) {
  info.weightsBytes = weights.getInt("bytes", 1, INT64_MAX);
  std::string storage = weights.getString("storage");
  if (storage == "embed")
    return;
  if (storage != "external")
    weights.fail("weights.storage",
                 "is '" + storage + "', expected 'embed' or 'external'");
  info.storage = WeightStorage::External;
  info.weightsFile = weights.getString("file");
  // A model must not be able to open files elsewhere.
  if (info.weightsFile.empty() || info.weightsFile == ".." ||
      info.weightsFile.find('/') != std::string::npos)
    weights.fail("weights.file", "is '" + info.weightsFile +
                                     "', expected the name of a file beside "
                                     "the model");
}

PhaseRows readRows(const Reader &phase) {
  std::string rows = phase.getString("rows");
  if (rows == "rows")
    return PhaseRows::All;
  if (rows == "prompt_rows")
    return PhaseRows::Prefill;
  if (rows == "generated_rows")
    return PhaseRows::Decode;
  if (rows == "logit_rows")
    return PhaseRows::Logits;
  phase.fail("target.steps.rows", "is '" + rows +
                                      "', expected 'rows', 'prompt_rows', "
                                      "'generated_rows' or 'logit_rows'");
}

std::vector<Phase> readPhases(const Reader &target) {
  std::vector<Phase> phases;
  for (const Reader &phase : target.getObjects("steps"))
    phases.push_back({phase.getString("name"),
                      phase.getInt("bytes", 0, INT64_MAX),
                      phase.getInt("row_bytes", 0, INT64_MAX),
                      phase.getInt("multiplies", 0, INT64_MAX), readRows(phase),
                      phase.getBool("cache")});
  return phases;
}

} // namespace

ModelInfo ModelInfo::parse(const std::string &where, std::string_view text) {
  json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  Reader root(where, document, "");
  ModelInfo info;
  info.name = root.getString("name");
  readShape(root, info);
  info.activations = root.getString("activations");
  info.kvType = root.getString("kv_type");
  Reader target = root.getObject("target");
  info.triple = target.getString("triple");
  info.variants.push_back({target.getString("cpu"),
                           target.getStrings("features"), LLAMA_SYMBOL_FORWARD,
                           LLAMA_SYMBOL_WORKSPACE, readPhases(target)});
  for (const Reader &other : target.getObjects("others"))
    info.variants.push_back({other.getString("cpu"),
                             other.getStrings("features"),
                             other.getString("forward"),
                             other.getString("workspace"), readPhases(other)});
  readWeights(root.getObject("weights"), info);
  info.chatTemplate = root.getString("chat_template");
  info.compiler = root.getString("compiler");
  return info;
}
