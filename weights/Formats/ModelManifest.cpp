//===- ModelManifest.cpp - model.json and what stands in for it -----------===//
//
// Looks at what is there, decides what it is, and calls the readers: one for
// the hyper-parameters, one for the tensors, one for the tokenizer.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/ModelManifest.h"

#include "weights/Configs/GgufConfig.h"
#include "weights/Configs/HuggingFaceConfig.h"
#include "weights/Configs/ModelJson.h"
#include "weights/Configs/NanotronConfig.h"
#include "weights/Configs/OutputTokens.h"
#include "weights/Formats/HuggingFaceFolder.h"
#include "weights/Formats/LayerPickle.h"
#include "weights/Formats/MetaFolder.h"
#include "weights/Formats/MetaQuantized.h"
#include "weights/Formats/Nanotron.h"
#include "weights/Formats/NpyFolder.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"
#include "weights/Tokenizers/GgufVocabulary.h"
#include "weights/Tokenizers/TokenizerFolder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr uint64_t kLongestText = uint64_t(64) << 20;

/// A path that a model.json states, relative to its folder.
std::string resolve(StringRef folder, StringRef path) {
  return sys::path::is_absolute(path) ? path.str() : getPathIn(folder, path);
}

Expected<std::string> readText(StringRef path) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  return (*file)->readAll(kLongestText);
}

//===----------------------------------------------------------------------===//
// One function for each format
//===----------------------------------------------------------------------===//

/// Opens the tensors and the tokenizer at `path`; the hyper-parameters too,
/// unless a model.json has stated them.
class WeightsOpener {
public:
  WeightsOpener(StringRef path, LinkPolicy links, bool isConfigGiven,
                ModelManifest &manifest)
      : path(path), links(links), isConfigGiven(isConfigGiven),
        manifest(manifest), config(manifest.config) {}

  Error open(CheckpointFormat format);

private:
  Error openHuggingFace();
  Error openMeta();
  Error openNpy();
  Error openLayerPickles();
  Error openNanotron();
  Error openGguf();

  Error readMetaParams(const MetaShapes &shapes,
                       std::optional<MetaQuantization> *quantization);
  Error tieIfEqual(ArrayRef<StoredTensor> tensors);
  Error bind(Expected<std::vector<StoredTensor>> tensors, Naming naming,
             RowOrder order);

  StringRef path;
  LinkPolicy links;
  bool isConfigGiven;
  ModelManifest &manifest;
  ModelConfig &config;
};

Error WeightsOpener::open(CheckpointFormat format) {
  manifest.format = format;
  manifest.weightsPath = path.str();
  switch (format) {
  case CheckpointFormat::HuggingFace:
    return openHuggingFace();
  case CheckpointFormat::Meta:
    return openMeta();
  case CheckpointFormat::Npy:
    return openNpy();
  case CheckpointFormat::LayerPickle:
    return openLayerPickles();
  case CheckpointFormat::Nanotron:
    return openNanotron();
  case CheckpointFormat::Gguf:
    return openGguf();
  }
  llvm_unreachable("a format");
}

Error WeightsOpener::bind(Expected<std::vector<StoredTensor>> tensors,
                          Naming naming, RowOrder order) {
  if (!tensors)
    return tensors.takeError();
  if (Error error =
          createFileCheckpoint(path, std::move(*tensors), naming, order, config)
              .moveInto(manifest.checkpoint))
    return error;
  if (naming == Naming::Gguf)
    return Error::success(); // comes with its tokenizer
  return readTokenizerFolder(path).moveInto(manifest.vocabulary);
}

/// config.json, and generation_config.json if it is there.
Error readHuggingFaceConfig(StringRef folder, ModelConfig &config) {
  std::string path = getPathIn(folder, "config.json");
  Expected<std::string> text = readText(path);
  if (!text)
    return text.takeError();
  if (Error error = parseHuggingFaceConfig(*text, path).moveInto(config))
    return error;
  path = getPathIn(folder, "generation_config.json");
  if (!sys::fs::exists(path))
    return Error::success();
  text = readText(path);
  if (!text)
    return text.takeError();
  return addGenerationConfig(*text, path, config);
}

Error WeightsOpener::openHuggingFace() {
  if (!isConfigGiven)
    if (Error error = readHuggingFaceConfig(path, config))
      return error;
  return bind(hasSafetensors(path) || !hasTorchModel(path)
                  ? readSafetensorsFolder(path, links)
                  : readTorchModel(path, links),
              Naming::HuggingFace, RowOrder::HalfSplit);
}

/// params.json, completed by what the tensors say.
Error WeightsOpener::readMetaParams(
    const MetaShapes &shapes, std::optional<MetaQuantization> *quantization) {
  std::string file = getPathIn(path, "params.json");
  Expected<std::string> text = readText(file);
  if (!text)
    return text.takeError();
  return parseMetaParams(*text, file, shapes, quantization).moveInto(config);
}

/// Meta's formats have no word for tied embeddings: the output matrix is a
/// copy.
Error WeightsOpener::tieIfEqual(ArrayRef<StoredTensor> tensors) {
  const StoredTensor *embedding = findStored(tensors, "tok_embeddings.weight");
  const StoredTensor *output = findStored(tensors, "output.weight");
  if (isConfigGiven || config.tiedEmbeddings || !embedding || !output ||
      embedding->shape.size() != 2 || embedding->shape != output->shape ||
      embedding->dtype != output->dtype || embedding->rows || output->rows)
    return Error::success();
  return holdSameBytes(*embedding, *output).moveInto(config.tiedEmbeddings);
}

Error WeightsOpener::openMeta() {
  auto shards = readMetaShards(path, links);
  if (!shards)
    return shards.takeError();
  std::optional<MetaQuantization> quantization;
  if (!isConfigGiven)
    if (Error error = readMetaParams(getMetaShapes(*shards), &quantization))
      return error;
  auto tensors = mergeMetaShards(std::move(*shards), config);
  if (tensors && quantization)
    tensors = dequantizeMeta(std::move(*tensors), *quantization);
  if (!tensors)
    return tensors.takeError();
  if (Error error = tieIfEqual(*tensors))
    return error;
  return bind(std::move(tensors), Naming::Meta, RowOrder::Interleaved);
}

std::optional<int64_t> getStoredRows(ArrayRef<StoredTensor> tensors,
                                     StringRef name) {
  const StoredTensor *tensor = findStored(tensors, name);
  if (!tensor || tensor->shape.empty())
    return std::nullopt;
  return tensor->shape.front();
}

Error WeightsOpener::openNpy() {
  auto tensors = readNpyFolder(path, links);
  if (!tensors)
    return tensors.takeError();
  // Folders converted from Hugging Face's may have kept its configuration.
  bool isHuggingFace = !sys::fs::exists(getPathIn(path, "params.json")) &&
                       sys::fs::exists(getPathIn(path, "config.json"));
  MetaShapes shapes = {
      getStoredRows(*tensors, "tok_embeddings.weight"),
      getStoredRows(*tensors, "layers.0.feed_forward.w1.weight"),
      findStored(*tensors, "output.weight") != nullptr};
  if (!isConfigGiven)
    if (Error error = isHuggingFace ? readHuggingFaceConfig(path, config)
                                    : readMetaParams(shapes, nullptr))
      return error;
  if (!isHuggingFace)
    if (Error error = tieIfEqual(*tensors))
      return error;
  return bind(std::move(tensors), Naming::Meta, RowOrder::Interleaved);
}

Error WeightsOpener::openLayerPickles() {
  if (!isConfigGiven)
    if (Error error = readHuggingFaceConfig(path, config))
      return error;
  return bind(readLayerPickles(path, links), Naming::Meta, RowOrder::HalfSplit);
}

Error WeightsOpener::openNanotron() {
  std::string file = getPathIn(path, "model_config.json");
  Expected<std::string> text = readText(file);
  if (!text)
    return text.takeError();
  RowOrder order = RowOrder::HalfSplit;
  Expected<ModelConfig> found = parseNanotronConfig(*text, file, order);
  if (!found)
    return found.takeError();
  if (!isConfigGiven)
    config = std::move(*found);
  return bind(readNanotron(path, config, links), Naming::Meta, order);
}

Error WeightsOpener::openGguf() {
  auto opened = InputFile::open(path);
  if (!opened)
    return opened.takeError();
  Expected<GgufFile> file = readGguf(*opened);
  if (!file)
    return file.takeError();
  if (isConfigGiven) {
    if (!config.ropeScaling)
      if (Error error =
              readGgufRopeDivisors(*file).moveInto(config.ropeDivisors))
        return error;
    if (Error error = config.validate(path))
      return error;
  } else {
    auto name = file->keys.find("general.name");
    if (name != file->keys.end() && name->second.strings.size() == 1)
      manifest.name = name->second.strings[0];
    if (Error error = readGgufConfig(*file).moveInto(config))
      return error;
  }
  if (Error error =
          bind(std::move(file->tensors), Naming::Gguf, RowOrder::Interleaved))
    return error;
  return readGgufVocabulary(*file).moveInto(manifest.vocabulary);
}

//===----------------------------------------------------------------------===//
// model.json
//===----------------------------------------------------------------------===//

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

/// The tokens of a pruned output matrix, if a model.json names a file of them.
Error readOutputMap(const ModelJson &model, StringRef folder,
                    ModelConfig &config) {
  if (!model.outputMapPath)
    return Error::success();
  std::string path = resolve(folder, *model.outputMapPath);
  Expected<std::string> text = readText(path);
  if (!text)
    return text.takeError();
  if (Error error = parseOutputMap(*text, path).moveInto(config.outputTokens))
    return error;
  return config.validate(path);
}

Error openModelJson(StringRef path, LinkPolicy links, ModelManifest &manifest) {
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
  if (Error error = readOutputMap(*model, folder, manifest.config))
    return error;
  std::string weights = resolve(folder, model->weightsPath);
  if (Error error =
          WeightsOpener(weights, links, /*isConfigGiven=*/true, manifest)
              .open(model->format))
    return error;
  return applyTokenizer(*model, folder, manifest);
}

//===----------------------------------------------------------------------===//
// What is there
//===----------------------------------------------------------------------===//

/// The one *.gguf file of the folder, empty if there is none.
Expected<std::string> findGguf(StringRef folder) {
  auto names = listFolder(folder, "", ".gguf");
  if (!names)
    return names.takeError();
  if (names->size() > 1)
    return makeInputError(folder, "holds several *.gguf files, name one of "
                                  "them");
  return names->empty() ? std::string() : getPathIn(folder, names->front());
}

/// nanotron's latest.txt names the folder of the last step.
Expected<std::string> findLatestStep(StringRef folder) {
  std::string path = getPathIn(folder, "latest.txt");
  if (!sys::fs::exists(path))
    return std::string();
  Expected<std::string> text = readText(path);
  if (!text)
    return text.takeError();
  StringRef step = StringRef(*text).trim();
  if (step.empty() || !all_of(step, isDigit))
    return makeInputError(path, "expected the number of a step, found " +
                                    quote(step));
  return getPathIn(folder, step);
}

Error openFolder(StringRef folder, LinkPolicy links, ModelManifest &manifest) {
  std::string modelJson = getPathIn(folder, "model.json");
  if (sys::fs::exists(modelJson))
    return openModelJson(modelJson, links, manifest);
  auto open = [&](StringRef path, CheckpointFormat format) {
    return WeightsOpener(path, links, /*isConfigGiven=*/false, manifest)
        .open(format);
  };
  if (hasSafetensors(folder) || hasTorchModel(folder))
    return open(folder, CheckpointFormat::HuggingFace);
  if (hasMetaShards(folder))
    return open(folder, CheckpointFormat::Meta);
  if (hasNpy(folder))
    return open(folder, CheckpointFormat::Npy);
  if (hasLayerPickles(folder))
    return open(folder, CheckpointFormat::LayerPickle);
  if (hasNanotron(folder))
    return open(folder, CheckpointFormat::Nanotron);
  Expected<std::string> step = findLatestStep(folder);
  if (!step)
    return step.takeError();
  if (!step->empty())
    return open(*step, CheckpointFormat::Nanotron);
  Expected<std::string> gguf = findGguf(folder);
  if (!gguf)
    return gguf.takeError();
  if (!gguf->empty())
    return open(*gguf, CheckpointFormat::Gguf);
  return makeInputError(
      folder, "holds none of model.json, model.safetensors, "
              "model.safetensors.index.json, pytorch_model.bin, "
              "pytorch_model.bin.index.json, consolidated.00.pth, "
              "tok_embeddings.weight.npy, layer_0.pkl, model_config.json with "
              "model/model, and a *.gguf file");
}

/// Caches of downloads store GGUF files without an extension.
bool beginsLikeGguf(StringRef path) { return beginsWith(path, "GGUF"); }

Error openAny(StringRef path, LinkPolicy links, ModelManifest &manifest) {
  if (!sys::fs::exists(path))
    return makeInputError(path, "does not exist");
  if (sys::fs::is_directory(path))
    return openFolder(path, links, manifest);
  if (sys::path::extension(path) == ".gguf" || beginsLikeGguf(path))
    return WeightsOpener(path, links, /*isConfigGiven=*/false, manifest)
        .open(CheckpointFormat::Gguf);
  if (sys::path::extension(path) == ".json")
    return openModelJson(path, links, manifest);
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

Expected<ModelManifest> ModelManifest::open(StringRef path, LinkPolicy links) {
  ModelManifest manifest;
  manifest.path = path.str();
  manifest.name = getNameOf(path);
  if (Error error = openAny(path, links, manifest))
    return std::move(error);
  if (Error error = reconcileTokens(manifest))
    return std::move(error);
  return manifest;
}

} // namespace llamaweights
