//===- Inspect.cpp - llama-weights inspect --------------------------------===//
//
// What a checkpoint is, what follows from it, and a line for each tensor; or
// the same as JSON.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/MetaParams.h"
#include "weights/Formats/BareTensors.h"
#include "weights/Formats/TensorScan.h"
#include "weights/InputError.h"
#include "weights/ProgressBar.h"
#include "weights/tools/Commands.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <nlohmann/json.hpp>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace llamaweights {
namespace {

int64_t getElements(const TensorInfo &tensor) {
  return tensor.getRows() * tensor.getColumns();
}

int64_t countParameters(const Checkpoint &checkpoint) {
  int64_t count = 0;
  for (const TensorInfo &tensor : checkpoint.getTensors())
    count += getElements(tensor);
  return count;
}

/// 1235814400 => "1,235,814,400".
std::string withSeparators(int64_t value) {
  std::string digits = itostr(value);
  for (int64_t at = int64_t(digits.size()) - 3; at > (value < 0); at -= 3)
    digits.insert(size_t(at), ",");
  return digits;
}

std::string formatNumber(double value) {
  std::string text;
  raw_string_ostream(text) << format("%.7g", value);
  return text;
}

/// A key and value of a cache in bf16, of all layers.
int64_t getCacheBytes(const ModelConfig &config) {
  return 2 * config.layers * config.kvHeads * config.headDim * 2;
}

/// Which parameters of Meta's rule give the width of the feed-forward layers.
std::string explainFfn(const ModelConfig &config) {
  for (double multiplier : {1.0, 1.3, 1.4, 1.5})
    for (int64_t multiple : {256, 1024, 4096})
      if (getMetaFfn(config.hidden, multiplier, multiple) == config.ffn)
        return formatv("Meta's rule with ffn_dim_multiplier {0}, multiple_of "
                       "{1}",
                       formatNumber(multiplier), multiple)
            .str();
  return "not of Meta's rule; " +
         formatNumber(double(config.ffn) / double(config.hidden)) + " * hidden";
}

std::string explainScaling(const RopeScaling &scaling) {
  std::string text = (", " + getName(scaling.rule) + " scaling: factor " +
                      formatNumber(scaling.factor))
                         .str();
  if (scaling.rule == RopeRule::Llama3)
    text += ", low " + formatNumber(scaling.lowFreqFactor) + ", high " +
            formatNumber(scaling.highFreqFactor);
  if (scaling.rule == RopeRule::Yarn)
    text += ", beta " + formatNumber(scaling.betaFast) + " to " +
            formatNumber(scaling.betaSlow) +
            (scaling.truncate ? "" : ", not truncated");
  if (scaling.rule != RopeRule::Linear)
    text += ", original " + itostr(scaling.originalMaxPositions);
  return text;
}

std::string explainRope(const ModelConfig &config) {
  std::string text = "theta " + formatNumber(config.ropeTheta);
  if (config.ropeScaling)
    text += explainScaling(*config.ropeScaling);
  if (!config.ropeDivisors.empty())
    text += ", " + utostr(config.ropeDivisors.size()) + " divisors";
  if (config.ropeAttentionFactor != 1.0)
    text += ", attention factor " + formatNumber(config.ropeAttentionFactor);
  return text;
}

std::string explainTokenizer(const std::optional<Vocabulary> &vocabulary) {
  if (!vocabulary)
    return "none";
  constexpr StringLiteral kinds[] = {"sentencepiece", "byte-level BPE", "BPE",
                                     "unigram"}; // of VocabularyKind
  StringRef kind = kinds[size_t(vocabulary->kind)];
  return (kind + ", " + withSeparators(int64_t(vocabulary->tokens.size())) +
          " tokens" +
          (vocabulary->chatTemplate.empty() ? "" : ", a chat template"))
      .str();
}

std::string explainTokens(const ModelConfig &config) {
  std::string text =
      "bos " + (config.bosToken ? itostr(*config.bosToken) : "none") + ", eos";
  for (int64_t token : config.eosTokens)
    text += " " + itostr(token);
  return text + (config.eosTokens.empty() ? " none" : "");
}

void printLine(StringRef what, const Twine &value) {
  outs() << "  " << left_justify(what, 20) << value << "\n";
}

void printModel(const OpenedModel &model) {
  const ModelConfig &config = model.config;
  outs() << model.name << " (" << getName(model.format) << ")\n";
  printLine("hidden", itostr(config.hidden));
  printLine("layers", itostr(config.layers));
  printLine("heads", formatv("{0} query, {1} key-value, {2} wide", config.heads,
                             config.kvHeads, config.headDim)
                         .str());
  printLine("ffn", itostr(config.ffn) + " (" + explainFfn(config) + ")");
  printLine("vocab", withSeparators(config.vocab));
  printLine("embeddings", config.tiedEmbeddings ? "tied" : "not tied");
  if (!config.outputTokens.empty())
    printLine("output", withSeparators(config.getOutputRows()) + " of " +
                            withSeparators(config.vocab) + " tokens");
  printLine("norm epsilon", formatNumber(config.normEps));
  printLine("rope", explainRope(config));
  printLine("positions", withSeparators(config.maxSeqLen));
  printLine("tokens", explainTokens(config));
  printLine("tokenizer", explainTokenizer(model.vocabulary));
  printLine("cache",
            withSeparators(getCacheBytes(config)) + " bytes per token (bf16)");
  for (const std::string &remark : config.remarks)
    printLine("note", remark);
}

std::string printShape(ArrayRef<int64_t> shape) {
  std::string text;
  raw_string_ostream stream(text);
  interleave(shape, stream, "x");
  return text;
}

void printStatistics(const TensorStatistics &statistics) {
  outs() << "    min " << formatNumber(statistics.min) << ", max "
         << formatNumber(statistics.max) << ", mean "
         << formatNumber(statistics.mean) << ", deviation "
         << formatNumber(statistics.deviation) << ", NaN " << statistics.nans
         << ", Inf " << statistics.infinities << "; first";
  for (float value : statistics.first)
    outs() << " " << formatNumber(double(value));
  outs() << "\n";
}

/// JSON has no NaN and Inf; they become text.
Json toJson(double value) {
  return std::isfinite(value) ? Json(value) : Json(formatNumber(value));
}

Json describe(const TensorStatistics &statistics) {
  Json first = Json::array();
  for (float value : statistics.first)
    first.push_back(toJson(double(value)));
  return {{"min", toJson(statistics.min)},
          {"max", toJson(statistics.max)},
          {"mean", toJson(statistics.mean)},
          {"deviation", toJson(statistics.deviation)},
          {"nan", statistics.nans},
          {"inf", statistics.infinities},
          {"first", first}};
}

Json describe(const OpenedModel &model) {
  Json json = {{"name", model.name}, {"format", getName(model.format).str()}};
  json.update(model.config.toJson());
  json["kv_bytes_per_token"] = getCacheBytes(model.config);
  json["tokens"] =
      model.vocabulary ? Json(model.vocabulary->tokens.size()) : Json();
  json["notes"] = model.config.remarks;
  return json;
}

Json describe(const Subject &subject) {
  Json json = Json::object();
  if (subject.model)
    json = describe(*subject.model);
  if (subject.info) {
    json = Json::parse(llamaabi::toJson(*subject.info));
    json["format"] = "model.so";
    json.erase("weights");
  }
  json["parameters"] = countParameters(subject.getCheckpoint());
  json["bytes"] = subject.getBytes();
  return json;
}

/// A line for each entry of the description that is short enough for one.
void printInfo(const Subject &subject) {
  if (!subject.info)
    return;
  outs() << subject.path << " (model.so)\n";
  Json info = Json::parse(llamaabi::toJson(*subject.info));
  for (const auto &[key, value] : info.items()) {
    std::string text =
        value.is_string() ? value.get<std::string>() : value.dump();
    if (key != "weights" && key != "chat_template")
      printLine(key, text.size() > 200 ? text.substr(0, 200) + "..." : text);
  }
}

void printHeading(const Subject &subject) {
  const Checkpoint &checkpoint = subject.getCheckpoint();
  if (subject.model)
    printModel(*subject.model);
  else if (subject.info)
    printInfo(subject);
  else
    outs() << subject.path << " (tensors without hyper-parameters)\n";
  printLine("parameters", withSeparators(countParameters(checkpoint)));
  printLine("bytes", withSeparators(int64_t(subject.getBytes())));
  outs() << "\n"
         << left_justify("tensor", 36) << left_justify("shape", 16)
         << left_justify("type", 8) << right_justify("bytes", 15) << "  file\n";
}

void printTensor(const TensorInfo &tensor) {
  outs() << left_justify(tensor.name, 36)
         << left_justify(printShape(tensor.shape), 16)
         << left_justify(tensor.getTypeName(), 8)
         << right_justify(withSeparators(tensor.getStoredBytes()), 15) << "  "
         << sys::path::filename(tensor.file)
         << (tensor.isHadamardRotated ? ", of a Hadamard-transformed input"
                                      : "")
         << "\n";
}

} // namespace

uint64_t Subject::getBytes() const {
  uint64_t bytes = 0;
  for (const TensorInfo &tensor : getCheckpoint().getTensors())
    bytes += uint64_t(tensor.getStoredBytes());
  return bytes;
}

void printNotes(const OpenedModel &model) {
  for (const std::string &remark : model.config.remarks)
    errs() << "llama-weights: note: " << remark << "\n";
}

Expected<Subject> openSubject(StringRef path, LinkPolicy links) {
  Subject subject;
  subject.path = path.str();
  if (isBare(path)) {
    if (Error error = openBare(path, links).moveInto(subject.other))
      return std::move(error);
    return subject;
  }
  if (beginsLikeElf(path)) {
    Expected<CompiledModel> model = openCompiledModel(path);
    if (!model)
      return model.takeError();
    subject.info = std::move(model->info);
    subject.other = std::move(model->checkpoint);
    subject.hashes = std::move(model->hashes);
    return subject;
  }
  Expected<OpenedModel> model = OpenedModel::open(path, links);
  if (!model)
    return model.takeError();
  printNotes(*model);
  subject.model.emplace(std::move(*model));
  return subject;
}

Error inspect(const Subject &subject, InspectOptions options) {
  const Checkpoint &checkpoint = subject.getCheckpoint();
  ProgressBar progress("inspect", options.quiet, subject.getBytes());
  Json list = Json::array();
  if (!options.json)
    printHeading(subject);
  for (const TensorInfo &tensor : checkpoint.getTensors()) {
    Json entry = {{"name", tensor.name},
                  {"source_name", tensor.sourceName},
                  {"shape", tensor.shape},
                  {"dtype", tensor.getTypeName()},
                  {"bytes", tensor.getStoredBytes()},
                  {"file", tensor.file}};
    if (tensor.isHadamardRotated)
      entry["rotated"] = true;
    if (!options.json)
      printTensor(tensor);
    if (options.statistics) {
      auto scan = scanTensor(checkpoint, tensor, {false, true},
                             [&](int64_t bytes) { progress.add(bytes); });
      if (!scan)
        return scan.takeError();
      if (!options.json)
        printStatistics(scan->statistics);
      entry["statistics"] = describe(scan->statistics);
    }
    if (options.json)
      list.push_back(std::move(entry));
  }
  if (!options.json)
    return Error::success();
  Json json = describe(subject);
  json["tensors"] = std::move(list);
  outs() << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
  return Error::success();
}

} // namespace llamaweights
