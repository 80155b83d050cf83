//===- ModelInfo.cpp - What a model.so says about itself ------------------===//
//
// The reader and the writer of the JSON that ModelInfo.h describes. Keys are
// written in the order of that list.
//
//===----------------------------------------------------------------------===//

#include "runtime/abi/ModelInfo.h"

#include "runtime/abi/BoundedJson.h"
#include "runtime/abi/LlamaABI.h"

#include <limits>
#include <nlohmann/json.hpp>

using namespace llamaabi;
using nlohmann::json;
using Ordered = nlohmann::ordered_json;

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

/// `text` between single quotes, cut after 120 bytes; control characters as
/// \XX, and so is what is not ASCII unless it is known to be UTF-8.
static std::string quote(std::string_view text, bool isUtf8 = true) {
  constexpr size_t kLongest = 120;
  constexpr char kDigits[] = "0123456789ABCDEF";
  size_t shown = std::min(text.size(), kLongest);
  while (shown > 0 && shown < text.size() && (text[shown] & 0xc0) == 0x80)
    --shown; // not within a character
  std::string result = "'";
  for (char c : text.substr(0, shown)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte > 0x7f && !isUtf8))
      result += {'\\', kDigits[byte >> 4], kDigits[byte & 15]};
    else
      result += c;
  }
  return result + (shown < text.size() ? "...'" : "'");
}

static std::string formatShape(const std::vector<int64_t> &shape) {
  std::string result;
  for (int64_t size : shape)
    result += (result.empty() ? "" : ", ") + std::to_string(size);
  return "[" + result + "]";
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

/// What is wrong; does not leave this file.
struct Complaint {
  std::string message;
};

/// One JSON object and the words that lead to it, for messages.
class Reader {
public:
  Reader(const json &object, const std::string &key)
      : object(object), prefix(key.empty() ? "" : key + ".") {
    if (!object.is_object())
      fail(key.empty() ? "the text" : key, "is not an object");
  }

  Reader getObject(const char *key) const {
    return Reader(find(key), prefix + key);
  }

  std::vector<Reader> getObjects(const char *key) const {
    std::vector<Reader> result;
    for (const json &value : getArray(key))
      result.emplace_back(value, prefix + key);
    return result;
  }

  bool has(const char *key) const { return object.contains(key); }

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

  std::vector<int64_t> getInts(const char *key, int64_t low,
                               int64_t high) const {
    std::vector<int64_t> result;
    for (const json &value : getArray(key)) {
      if (!value.is_number_integer())
        fail(prefix + key, "holds something that is not a whole number");
      result.push_back(checkRange(prefix + key, value, low, high));
    }
    return result;
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

  /// An object of strings, which may be absent.
  std::vector<NamedText> getTexts(const char *key) const {
    std::vector<NamedText> result;
    if (!has(key))
      return result;
    Reader object = getObject(key);
    for (const auto &[name, value] : object.object.items())
      result.push_back({name, object.getString(name.c_str())});
    return result;
  }

  /// About the value of one of its keys.
  [[noreturn]] void failAt(const char *key, const std::string &what) const {
    fail(prefix + key, what);
  }

private:
  [[noreturn]] static void fail(const std::string &key,
                                const std::string &what) {
    throw Complaint{key + " " + what};
  }

  const json &getArray(const char *key) const {
    const json &value = find(key);
    if (!value.is_array())
      fail(prefix + key, "is not a list");
    return value;
  }

  static int64_t checkRange(const std::string &key, const json &value,
                            int64_t low, int64_t high) {
    // Beyond int64 the value is unsigned; the largest stands for those.
    bool huge = value.is_number_unsigned() &&
                value.get<uint64_t>() > uint64_t(kMaxInt64);
    int64_t number = huge ? kMaxInt64 : value.get<int64_t>();
    if (number < low || number > high || huge)
      fail(key, "is " + value.dump() + ", expected " + std::to_string(low) +
                    " to " + std::to_string(high));
    return number;
  }

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
    info.bosToken = int32_t(root.getInt("bos_token", 0, info.vocab - 1));
  for (int64_t token : root.getInts("eos_tokens", 0, info.vocab - 1))
    info.eosTokens.push_back(int32_t(token));
}

PhaseRows readRows(const Reader &phase) {
  std::string name = phase.getString("rows");
  std::optional<PhaseRows> rows = parsePhaseRows(name);
  if (!rows)
    phase.failAt("rows", "is " + quote(name) +
                             ", expected 'rows', 'prompt_rows', "
                             "'generated_rows' or 'logit_rows'");
  return *rows;
}

std::vector<Phase> readPhases(const Reader &target) {
  std::vector<Phase> phases;
  for (const Reader &phase : target.getObjects("steps"))
    phases.push_back({phase.getString("name"),
                      phase.getInt("bytes", 0, kMaxInt64),
                      phase.getInt("row_bytes", 0, kMaxInt64),
                      phase.getInt("multiplies", 0, kMaxInt64), readRows(phase),
                      phase.getBool("cache")});
  return phases;
}

CodeVariant readVariant(const Reader &target, std::string forward,
                        std::string workspace) {
  CodeVariant variant = {target.getString("cpu"), target.getStrings("features"),
                         std::move(forward), std::move(workspace),
                         readPhases(target)};
  variant.hasRowsAlike =
      target.has("rows_alike") && target.getBool("rows_alike");
  if (target.has("stack_bytes"))
    variant.stackBytes = target.getInt("stack_bytes", 0, kMaxInt64);
  return variant;
}

void readTarget(const Reader &target, ModelInfo &info) {
  info.triple = target.getString("triple");
  info.variants.push_back(
      readVariant(target, LLAMA_SYMBOL_FORWARD, LLAMA_SYMBOL_WORKSPACE));
  for (const Reader &other : target.getObjects("others"))
    info.variants.push_back(readVariant(other, other.getString("forward"),
                                        other.getString("workspace")));
}

std::string readFingerprint(const Reader &root) {
  std::string text = root.getString("fingerprint");
  if (text.size() != size_t(2) * LLAMA_HASH_BYTES ||
      text.find_first_not_of("0123456789abcdef") != std::string::npos)
    root.failAt("fingerprint",
                "is " + quote(text) + ", expected 64 hexadecimal digits");
  return text;
}

TensorEntry readTensor(const Reader &reader) {
  constexpr int64_t kMinInt64 = std::numeric_limits<int64_t>::min();
  TensorEntry tensor;
  tensor.name = reader.getString("name");
  std::string what = "tensor " + quote(tensor.name) + ": ";
  std::string dtype = reader.getString("dtype");
  std::optional<ElementFormat> format = parseElementFormat(dtype);
  if (!format)
    throw Complaint{what + "is of type " + quote(dtype) +
                    ", expected f32, f16, bf16, or integers as in 'int8g128' "
                    "or 'int4g32'"};
  std::string stored = reader.getString("layout");
  std::optional<TensorLayout> layout = parseTensorLayout(stored);
  if (!layout)
    throw Complaint{what + "has layout " + quote(stored) +
                    ", expected 'panels16', or 'rows' of floating point"};
  tensor.dtype = *format;
  tensor.layout = *layout;
  tensor.shape = reader.getInts("shape", kMinInt64, kMaxInt64);
  tensor.offset = reader.getInt("offset", kMinInt64, kMaxInt64);
  tensor.bytes = reader.getInt("bytes", kMinInt64, kMaxInt64);
  tensor.isRotated = reader.has("rotated") && reader.getBool("rotated");
  return tensor;
}

void readWeights(const Reader &weights, ModelInfo &info) {
  info.weightsBytes = uint64_t(weights.getInt("bytes", 1, kMaxInt64));
  std::string storage = weights.getString("storage");
  if (storage != "embed" && storage != "external")
    weights.failAt("storage",
                   "is " + quote(storage) + ", expected 'embed' or 'external'");
  if (storage == "external") {
    info.storage = WeightStorage::External;
    info.weightsFile = weights.getString("file");
    // A model must not be able to open files elsewhere.
    if (info.weightsFile.empty() || info.weightsFile == ".." ||
        info.weightsFile.find('/') != std::string::npos)
      weights.failAt("file", "is " + quote(info.weightsFile) +
                                 ", expected the name of a file beside the "
                                 "model");
  }
  for (const Reader &reader : weights.getObjects("tensors")) {
    TensorEntry tensor = readTensor(reader);
    std::string problem = checkTensor(tensor, info.weightsBytes);
    if (!problem.empty())
      throw Complaint{problem};
    info.tensors.push_back(std::move(tensor));
  }
}

ModelInfo readInfo(const Reader &root) {
  ModelInfo info;
  info.name = root.getString("name");
  readShape(root, info);
  info.activations = root.getString("activations");
  info.kvType = root.getString("kv_type");
  readTarget(root.getObject("target"), info);
  readWeights(root.getObject("weights"), info);
  info.chatTemplate = root.getString("chat_template");
  info.chatTemplates = root.getTexts("chat_templates");
  info.specialTokens = root.getTexts("special_tokens");
  if (root.has("chat_problem"))
    info.chatProblem = root.getString("chat_problem");
  info.compiler = root.getString("compiler");
  if (root.has("fingerprint"))
    info.fingerprint = readFingerprint(root);
  return info;
}

/// Bytes of a tensor, or nothing if its sizes make no sense.
std::optional<int64_t> getBytes(const TensorEntry &tensor) {
  // The product of two of them and a little leaves 63 bits alone.
  auto isSound = [](int64_t size) { return size >= 1 && size <= kMaxInt32; };
  size_t dimensions = tensor.shape.size();
  if (dimensions < 1 || dimensions > 2 || !isSound(tensor.shape.front()) ||
      !isSound(tensor.shape.back()))
    return std::nullopt;
  if (tensor.layout == TensorLayout::Panels16 && dimensions != 2)
    return std::nullopt;
  return getTensorBytes(tensor.layout, tensor.dtype,
                        dimensions == 2 ? tensor.shape[0] : 1,
                        tensor.shape.back());
}

} // namespace

std::string llamaabi::parseModelInfo(std::string_view text, ModelInfo &into) {
  json document;
  if (auto fault = parseBoundedJson(text, document))
    return "the text " + fault->before +
           (fault->quoted.empty() ? "" : quote(fault->quoted, false)) +
           fault->after;
  try {
    into = readInfo(Reader(document, ""));
  } catch (const Complaint &complaint) {
    return complaint.message;
  }
  return "";
}

std::string llamaabi::checkTensor(const TensorEntry &tensor,
                                  uint64_t blockBytes) {
  std::string what = "tensor " + quote(tensor.name) + ": ";
  if (tensor.dtype.isInteger() && tensor.layout != TensorLayout::Panels16)
    return what + "has layout '" + std::string(getName(tensor.layout)) +
           "', expected 'panels16', or 'rows' of floating point";
  what += "is " + formatShape(tensor.shape) + " of " + getName(tensor.dtype);
  std::optional<int64_t> expected = getBytes(tensor);
  if (!expected)
    return what + ", expected one or two dimensions that a file can hold";
  if (tensor.bytes != *expected)
    return what + " in " + std::to_string(tensor.bytes) + " bytes, expected " +
           std::to_string(*expected);
  if (tensor.offset < 0 || uint64_t(tensor.offset) > blockBytes ||
      uint64_t(tensor.bytes) > blockBytes - uint64_t(tensor.offset))
    return "tensor " + quote(tensor.name) + ": has " +
           std::to_string(tensor.bytes) + " bytes at byte " +
           std::to_string(tensor.offset) + " of the block, which has " +
           std::to_string(blockBytes) + " bytes";
  return "";
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static Ordered describe(const Phase &phase) {
  return {{"name", phase.name},          {"bytes", phase.bytes},
          {"row_bytes", phase.rowBytes}, {"multiplies", phase.multiplies},
          {"rows", getName(phase.rows)}, {"cache", phase.readsCache}};
}

static Ordered describe(const CodeVariant &variant) {
  Ordered phases = Ordered::array();
  for (const Phase &phase : variant.phases)
    phases.push_back(describe(phase));
  Ordered target = {{"cpu", variant.cpu},
                    {"features", variant.features},
                    {"steps", std::move(phases)}};
  if (variant.hasRowsAlike)
    target["rows_alike"] = true;
  if (variant.stackBytes > 0)
    target["stack_bytes"] = variant.stackBytes;
  return target;
}

/// The first target, and the others in a list of their own.
static Ordered describeTarget(const ModelInfo &info) {
  Ordered target = {{"triple", info.triple}};
  target.update(describe(info.variants.at(0)));
  Ordered others = Ordered::array();
  for (size_t i = 1; i < info.variants.size(); ++i) {
    others.push_back(describe(info.variants[i]));
    others.back()["forward"] = info.variants[i].forward;
    others.back()["workspace"] = info.variants[i].workspace;
  }
  target["others"] = std::move(others);
  return target;
}

static Ordered describe(const TensorEntry &tensor) {
  Ordered entry = {{"name", tensor.name},
                   {"dtype", getName(tensor.dtype)},
                   {"layout", getName(tensor.layout)},
                   {"shape", tensor.shape},
                   {"offset", tensor.offset},
                   {"bytes", tensor.bytes}};
  if (tensor.isRotated)
    entry["rotated"] = true;
  return entry;
}

static Ordered describeWeights(const ModelInfo &info) {
  Ordered tensors = Ordered::array();
  for (const TensorEntry &tensor : info.tensors)
    tensors.push_back(describe(tensor));
  bool isExternal = info.storage == WeightStorage::External;
  return {{"storage", isExternal ? "external" : "embed"},
          {"file", info.weightsFile},
          {"bytes", info.weightsBytes},
          {"tensors", std::move(tensors)}};
}

std::string llamaabi::toJson(const ModelInfo &info) {
  Ordered heads = {
      {"query", info.heads}, {"kv", info.kvHeads}, {"dim", info.headDim}};
  Ordered text = {
      {"name", info.name},
      {"hidden", info.hidden},
      {"ffn", info.ffn},
      {"vocab", info.vocab},
      {"layers", info.layers},
      {"heads", std::move(heads)},
      {"max_seq_len", info.maxSeqLen},
      {"bos_token", info.bosToken ? Ordered(*info.bosToken) : Ordered()},
      {"eos_tokens", info.eosTokens},
      {"activations", info.activations},
      {"kv_type", info.kvType},
      {"target", describeTarget(info)},
      {"weights", describeWeights(info)},
      {"chat_template", info.chatTemplate},
      {"compiler", info.compiler}};
  for (auto [key, texts] : {std::pair("chat_templates", &info.chatTemplates),
                            std::pair("special_tokens", &info.specialTokens)})
    for (const NamedText &named : *texts)
      text[key][named.name] = named.text;
  if (!info.chatProblem.empty())
    text["chat_problem"] = info.chatProblem;
  if (!info.fingerprint.empty())
    text["fingerprint"] = info.fingerprint;
  return text.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}
