//===- ModelManifest.cpp - model.json and what stands in for it -----------===//
//
// Looks at what is there, decides what it is, and calls the readers: one for
// the hyper-parameters, one for the tensors, one for the tokenizer.
//
//===----------------------------------------------------------------------===//

#include "weights/ModelManifest.h"

#include "weights/InputError.h"
#include "weights/InputFile.h"
#include "weights/Readers/GgufModel.h"
#include "weights/Readers/HuggingFaceConfig.h"
#include "weights/Readers/MetaParams.h"
#include "weights/Readers/ModelJson.h"
#include "weights/Readers/Npy.h"
#include "weights/Readers/Safetensors.h"
#include "weights/Readers/TokenizerFolder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr uint64_t kLongestText = uint64_t(64) << 20;

std::string join(StringRef folder, StringRef name) {
  SmallString<256> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

/// A path that a model.json states, relative to its folder.
std::string resolve(StringRef folder, StringRef path) {
  return sys::path::is_absolute(path) ? path.str() : join(folder, path);
}

Expected<std::string> readText(StringRef path) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  return (*file)->readAll(kLongestText);
}

Expected<GgufFile> openGgufFile(StringRef path) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  return readGguf(*file);
}

Error bindTensors(StringRef where, Expected<std::vector<StoredTensor>> tensors,
                  Naming naming, ModelManifest &manifest) {
  if (!tensors)
    return tensors.takeError();
  return createFileCheckpoint(where, std::move(*tensors), naming,
                              manifest.config)
      .moveInto(manifest.checkpoint);
}

/// config.json, and generation_config.json if it is there.
Error readHuggingFaceConfig(StringRef folder, ModelConfig &config) {
  std::string path = join(folder, "config.json");
  Expected<std::string> text = readText(path);
  if (!text)
    return text.takeError();
  if (Error error = parseHuggingFaceConfig(*text, path).moveInto(config))
    return error;
  path = join(folder, "generation_config.json");
  if (!sys::fs::exists(path))
    return Error::success();
  text = readText(path);
  if (!text)
    return text.takeError();
  return addGenerationConfig(*text, path, config);
}

Error openHuggingFace(StringRef folder, ModelManifest &manifest) {
  if (Error error = readHuggingFaceConfig(folder, manifest.config))
    return error;
  if (Error error = bindTensors(folder, readSafetensorsFolder(folder),
                                Naming::HuggingFace, manifest))
    return error;
  return readTokenizerFolder(folder).moveInto(manifest.vocabulary);
}

std::optional<int64_t> getStoredRows(ArrayRef<StoredTensor> tensors,
                                     StringRef name) {
  const StoredTensor *tensor = findStored(tensors, name);
  if (!tensor || tensor->shape.empty())
    return std::nullopt;
  return tensor->shape.front();
}

/// params.json, completed by what the tensors say.
Error readMetaParams(StringRef folder, ArrayRef<StoredTensor> tensors,
                     ModelConfig &config) {
  std::string path = join(folder, "params.json");
  Expected<std::string> text = readText(path);
  if (!text)
    return text.takeError();
  MetaShapes shapes;
  shapes.vocab = getStoredRows(tensors, "tok_embeddings.weight");
  shapes.ffn = getStoredRows(tensors, "layers.0.feed_forward.w1.weight");
  shapes.hasOutput = findStored(tensors, "output.weight");
  return parseMetaParams(*text, path, shapes).moveInto(config);
}

Error openNpy(StringRef folder, ModelManifest &manifest) {
  auto tensors = readNpyFolder(folder);
  if (!tensors)
    return tensors.takeError();
  // Folders converted from Hugging Face's may have kept its configuration.
  bool hasParams = sys::fs::exists(join(folder, "params.json"));
  bool hasConfig = sys::fs::exists(join(folder, "config.json"));
  if (Error error = hasConfig && !hasParams
                        ? readHuggingFaceConfig(folder, manifest.config)
                        : readMetaParams(folder, *tensors, manifest.config))
    return error;
  if (Error error =
          bindTensors(folder, std::move(tensors), Naming::Meta, manifest))
    return error;
  return readTokenizerFolder(folder).moveInto(manifest.vocabulary);
}

Error openGguf(StringRef path, ModelManifest &manifest) {
  Expected<GgufFile> file = openGgufFile(path);
  if (!file)
    return file.takeError();
  auto name = file->keys.find("general.name");
  if (name != file->keys.end() && name->second.strings.size() == 1)
    manifest.name = name->second.strings[0];
  if (Error error = readGgufConfig(*file).moveInto(manifest.config))
    return error;
  if (Error error =
          bindTensors(path, std::move(file->tensors), Naming::Gguf, manifest))
    return error;
  return readGgufVocabulary(*file).moveInto(manifest.vocabulary);
}

/// The tensors that a model.json speaks of, and the tokenizer that comes with
/// them.
Error openWeights(const ModelJson &model, const std::string &path,
                  ModelManifest &manifest) {
  if (model.format == WeightsFormat::Gguf) {
    Expected<GgufFile> file = openGgufFile(path);
    if (!file)
      return file.takeError();
    if (!manifest.config.ropeScaling)
      if (Error error = readGgufRopeDivisors(*file).moveInto(
              manifest.config.ropeDivisors))
        return error;
    if (Error error = manifest.config.validate(path))
      return error;
    if (Error error =
            bindTensors(path, std::move(file->tensors), Naming::Gguf, manifest))
      return error;
    return readGgufVocabulary(*file).moveInto(manifest.vocabulary);
  }
  bool isNpy = model.format == WeightsFormat::Npy;
  if (Error error = bindTensors(
          path, isNpy ? readNpyFolder(path) : readSafetensorsFolder(path),
          isNpy ? Naming::Meta : Naming::HuggingFace, manifest))
    return error;
  return readTokenizerFolder(path).moveInto(manifest.vocabulary);
}

/// Tokenizer, chat template and tokens that a model.json states win over what
/// comes with the weights.
Error applyTokenizer(const ModelJson &model, StringRef folder,
                     ModelManifest &manifest) {
  if (model.tokenizerPath) {
    std::string path = resolve(folder, *model.tokenizerPath);
    if (sys::fs::is_directory(path)) {
      if (Error error = readTokenizerFolder(path).moveInto(manifest.vocabulary))
        return error;
      if (!manifest.vocabulary)
        return makeInputError(path, "holds neither tokenizer.json nor "
                                    "tokenizer.model");
    } else if (Error error = readTokenizerFile(path).moveInto(
                   manifest.vocabulary.emplace())) {
      return error;
    }
  }
  std::optional<std::string> chatTemplate = model.chatTemplate;
  if (model.chatTemplatePath)
    if (Error error = readText(resolve(folder, *model.chatTemplatePath))
                          .moveInto(chatTemplate.emplace()))
      return error;
  if (!manifest.vocabulary)
    return Error::success();
  if (chatTemplate)
    manifest.vocabulary->chatTemplate = std::move(*chatTemplate);
  if (!model.config.eosTokens.empty())
    manifest.vocabulary->eosTokens = model.config.eosTokens;
  if (model.config.bosToken)
    manifest.vocabulary->bosToken = model.config.bosToken;
  return Error::success();
}

Error openModelJson(StringRef path, ModelManifest &manifest) {
  Expected<std::string> text = readText(path);
  if (!text)
    return text.takeError();
  Expected<ModelJson> model = parseModelJson(*text, path);
  if (!model)
    return model.takeError();
  manifest.config = model->config;
  if (!model->name.empty())
    manifest.name = model->name;
  StringRef folder = sys::path::parent_path(path);
  if (Error error =
          openWeights(*model, resolve(folder, model->weightsPath), manifest))
    return error;
  return applyTokenizer(*model, folder, manifest);
}

/// The one *.gguf file of the folder, empty if there is none.
Expected<std::string> findGguf(StringRef folder) {
  std::string found;
  std::error_code code;
  for (sys::fs::directory_iterator it(folder, code), end; it != end && !code;
       it.increment(code)) {
    if (sys::path::extension(it->path()) != ".gguf")
      continue;
    if (!found.empty())
      return makeInputError(folder, "holds several *.gguf files, name one of "
                                    "them");
    found = it->path();
  }
  if (code)
    return makeInputError(folder, "cannot be listed: " + code.message());
  return found;
}

Error openFolder(StringRef folder, ModelManifest &manifest) {
  std::string modelJson = join(folder, "model.json");
  if (sys::fs::exists(modelJson))
    return openModelJson(modelJson, manifest);
  if (hasSafetensors(folder))
    return openHuggingFace(folder, manifest);
  if (hasNpy(folder))
    return openNpy(folder, manifest);
  Expected<std::string> gguf = findGguf(folder);
  if (!gguf)
    return gguf.takeError();
  if (!gguf->empty())
    return openGguf(*gguf, manifest);
  return makeInputError(folder, "holds none of model.json, model.safetensors, "
                                "model.safetensors.index.json, "
                                "tok_embeddings.weight.npy and a *.gguf file");
}

/// Whether the file begins as a GGUF file does; caches of downloads store them
/// without an extension.
bool beginsLikeGguf(StringRef path) {
  char magic[4] = {};
  auto file = InputFile::open(path);
  if (!file) {
    consumeError(file.takeError());
    return false;
  }
  if ((*file)->getSize() < sizeof(magic))
    return false;
  if (Error error = (*file)->read(0, magic)) {
    consumeError(std::move(error));
    return false;
  }
  return StringRef(magic, sizeof(magic)) == "GGUF";
}

Error openAny(StringRef path, ModelManifest &manifest) {
  if (!sys::fs::exists(path))
    return makeInputError(path, "does not exist");
  if (sys::fs::is_directory(path))
    return openFolder(path, manifest);
  if (sys::path::extension(path) == ".gguf" || beginsLikeGguf(path))
    return openGguf(path, manifest);
  if (sys::path::extension(path) == ".json")
    return openModelJson(path, manifest);
  return makeInputError(path, "expected a folder, a *.gguf file or a "
                              "model.json");
}

/// Brings what the hyper-parameters and the tokenizer say about tokens
/// together.
Error reconcileTokens(ModelManifest &manifest) {
  ModelConfig &config = manifest.config;
  if (!manifest.vocabulary)
    return Error::success();
  Vocabulary &vocabulary = *manifest.vocabulary;
  if (int64_t(vocabulary.tokens.size()) > config.vocab)
    return makeInputError(manifest.path, "the tokenizer has " +
                                             Twine(vocabulary.tokens.size()) +
                                             " tokens, but the model only " +
                                             Twine(config.vocab));
  if (!config.bosToken)
    config.bosToken = vocabulary.bosToken;
  if (!vocabulary.bosToken)
    vocabulary.bosToken = config.bosToken;
  for (int64_t token : vocabulary.eosTokens)
    if (!is_contained(config.eosTokens, token))
      config.eosTokens.push_back(token);
  vocabulary.eosTokens = config.eosTokens;
  return config.validate(manifest.path);
}

/// What a person would call the model at that path: the last component of the
/// folder's absolute path, or the file's name without its extension.
std::string getNameOf(StringRef path) {
  SmallString<256> absolute(path);
  if (sys::fs::make_absolute(absolute))
    absolute = path; // no current folder: the path as it is must do
  sys::path::remove_dots(absolute, /*remove_dot_dot=*/true);
  if (sys::fs::is_directory(absolute))
    return sys::path::filename(absolute).str();
  if (sys::path::filename(absolute) != "model.json")
    return sys::path::stem(absolute).str();
  return sys::path::filename(sys::path::parent_path(absolute)).str();
}

} // namespace

Expected<ModelManifest> ModelManifest::open(StringRef path) {
  ModelManifest manifest;
  manifest.path = path.str();
  manifest.name = getNameOf(path);
  if (Error error = openAny(path, manifest))
    return std::move(error);
  if (Error error = reconcileTokens(manifest))
    return std::move(error);
  return manifest;
}

} // namespace llamaweights
