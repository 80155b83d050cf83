//===- OpenedModel.cpp - A model, whatever it is stored as ----------------===//
//
// What model.json states wins over what comes with the weights; the tokens that
// hyper-parameters and tokenizer name are brought together.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/OpenedModel.h"

#include "files/InputFiles.h"
#include "weights/Configs/ModelJson.h"
#include "weights/Configs/OutputTokens.h"
#include "weights/Formats/DetectFormat.h"
#include "weights/Formats/HubCache.h"
#include "weights/Formats/OpenWeights.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"
#include "weights/Tokenizers/TokenizerFolder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace llamaweights {
namespace {

/// A path that a model.json states, relative to its folder.
std::string resolve(StringRef folder, StringRef path) {
  return sys::path::is_absolute(path) ? path.str() : getPathIn(folder, path);
}

/// Tokenizer, chat template and tokens that a model.json states win over what
/// comes with the weights.
Error applyTokenizer(const ModelJson &json, StringRef folder,
                     OpenedModel &model) {
  if (json.tokenizerPath) {
    std::string path = resolve(folder, *json.tokenizerPath);
    if (sys::fs::is_directory(path)) {
      if (Error error = readTokenizerFolder(path).moveInto(model.vocabulary))
        return error;
      if (!model.vocabulary)
        return makeInputError(path, "holds neither tokenizer.json nor "
                                    "tokenizer.model");
    } else if (Error error = readTokenizerFile(path).moveInto(
                   model.vocabulary.emplace())) {
      return error;
    }
  }
  std::optional<std::string> chatTemplate = json.chatTemplate;
  if (json.chatTemplatePath)
    if (Error error = readTextFile(resolve(folder, *json.chatTemplatePath))
                          .moveInto(chatTemplate.emplace()))
      return error;
  if (!model.vocabulary)
    return Error::success();
  if (chatTemplate)
    model.vocabulary->chatTemplate = std::move(*chatTemplate);
  if (!json.config.eosTokens.empty())
    model.vocabulary->eosTokens = json.config.eosTokens;
  if (json.config.bosToken)
    model.vocabulary->bosToken = json.config.bosToken;
  return Error::success();
}

/// The tokens of a pruned output matrix, if a model.json names a file of them.
Error readOutputMap(const ModelJson &json, StringRef folder,
                    ModelConfig &config) {
  if (!json.outputMapPath)
    return Error::success();
  std::string path = resolve(folder, *json.outputMapPath);
  Expected<std::string> text = readTextFile(path);
  if (!text)
    return text.takeError();
  if (Error error = parseOutputMap(*text, path).moveInto(config.outputTokens))
    return error;
  return config.validate(path);
}

Error openModelJson(StringRef path, LinkPolicy links, OpenedModel &model) {
  Expected<std::string> text = readTextFile(path);
  if (!text)
    return text.takeError();
  Expected<ModelJson> json = parseModelJson(*text, path);
  if (!json)
    return json.takeError();
  model.config = json->config;
  if (!json->name.empty())
    model.name = json->name;
  StringRef folder = sys::path::parent_path(path);
  if (Error error = readOutputMap(*json, folder, model.config))
    return error;
  std::string weights = resolve(folder, json->weightsPath);
  if (Error error = openWeights(json->format, weights, links,
                                /*isConfigGiven=*/true, model))
    return error;
  return applyTokenizer(*json, folder, model);
}

/// Brings what the hyper-parameters and the tokenizer say about tokens
/// together.
Error reconcileTokens(OpenedModel &model) {
  ModelConfig &config = model.config;
  if (!model.vocabulary)
    return Error::success();
  Vocabulary &vocabulary = *model.vocabulary;
  if (int64_t(vocabulary.tokens.size()) > config.vocab)
    return makeInputError(
        model.path, "the tokenizer has " + Twine(vocabulary.tokens.size()) +
                        " tokens, but the model only " + Twine(config.vocab));
  if (!config.bosToken)
    config.bosToken = vocabulary.bosToken;
  if (!vocabulary.bosToken)
    vocabulary.bosToken = config.bosToken;
  for (int64_t token : vocabulary.eosTokens)
    if (!is_contained(config.eosTokens, token))
      config.eosTokens.push_back(token);
  vocabulary.eosTokens = config.eosTokens;
  return config.validate(model.path);
}

/// What a person would call the model at that path: the last component of the
/// folder's absolute path, or the file's name without its extension; NAME of
/// what Hugging Face's tools call ORG/NAME.
std::string getNameOf(StringRef path) {
  SmallString<256> absolute(path);
  if (sys::fs::make_absolute(absolute))
    absolute = path; // no current folder: the path as it is must do
  sys::path::remove_dots(absolute, /*remove_dot_dot=*/true);
  if (StringRef name = getHubName(absolute); !name.empty())
    return name.str();
  if (sys::fs::is_directory(absolute))
    return sys::path::filename(absolute).str();
  if (sys::path::filename(absolute) != "model.json")
    return sys::path::stem(absolute).str();
  return sys::path::filename(sys::path::parent_path(absolute)).str();
}

} // namespace

Expected<OpenedModel> OpenedModel::open(StringRef path, LinkPolicy links) {
  OpenedModel model;
  if (Error error = findCheckpoint(path).moveInto(model.path))
    return std::move(error);
  model.name = getNameOf(model.path);
  Expected<DetectedFormat> found = detectFormat(model.path);
  if (!found)
    return found.takeError();
  if (Error error = found->isModelJson
                        ? openModelJson(found->path, links, model)
                        : openWeights(found->format, found->path, links,
                                      /*isConfigGiven=*/false, model))
    return std::move(error);
  llamafiles::noteInputFolder(model.path);
  llamafiles::noteInputFolder(model.weightsPath);
  if (Error error = reconcileTokens(model))
    return std::move(error);
  return model;
}

} // namespace llamaweights
