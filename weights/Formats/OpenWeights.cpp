//===- OpenWeights.cpp - Tensors and tokenizer of each format -------------===//
//
// One function for each line of CheckpointFormat.def.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/OpenWeights.h"

#include "weights/Configs/GgufConfig.h"
#include "weights/Configs/HuggingFaceConfig.h"
#include "weights/Configs/NanotronConfig.h"
#include "weights/Formats/FileCheckpoint.h"
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
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace llamaweights {
namespace {

/// Opens the tensors and the tokenizer at `path`; the hyper-parameters too,
/// unless a model.json has stated them.
class WeightsOpener {
public:
  WeightsOpener(StringRef path, LinkPolicy links, bool isConfigGiven,
                OpenedModel &model)
      : path(path), links(links), isConfigGiven(isConfigGiven), model(model),
        config(model.config) {}

  Error open(CheckpointFormat format);

private:
#define FORMAT(id, name, description) Error open##id();
#include "weights/CheckpointFormat.def"

  Error readMetaParams(const MetaShapes &shapes,
                       std::optional<MetaQuantization> *quantization);
  Error settleTie(ArrayRef<StoredTensor> tensors, Naming naming);
  Error bind(Expected<std::vector<StoredTensor>> tensors, Naming naming,
             RowOrder order);

  StringRef path;
  LinkPolicy links;
  bool isConfigGiven;
  /// Of a params.json: Meta's programs always store an output matrix.
  bool isTieUnstated = false;
  OpenedModel &model;
  ModelConfig &config;
};

Error WeightsOpener::open(CheckpointFormat format) {
  model.format = format;
  model.weightsPath = path.str();
  using Opener = Error (WeightsOpener::*)();
  constexpr Opener kOpeners[] = {
#define FORMAT(id, name, description) &WeightsOpener::open##id,
#include "weights/CheckpointFormat.def"
  };
  return (this->*kOpeners[size_t(format)])();
}

const StoredTensor *findPlain(ArrayRef<StoredTensor> tensors, StringRef name,
                              Naming naming) {
  std::string wanted = getSourceName(name, naming);
  const auto *found = find_if(tensors, [&](const StoredTensor &tensor) {
    return getPlainName(tensor.name, naming) == wanted;
  });
  return found == tensors.end() ? nullptr : found;
}

/// Whether the output matrix that is stored is the embedding once more.
Expected<bool> isCopy(const StoredTensor &output,
                      const StoredTensor &embedding) {
  if (embedding.shape.size() != 2 || embedding.shape != output.shape ||
      embedding.dtype != output.dtype || embedding.rows || output.rows)
    return false;
  return holdSameBytes(embedding, output);
}

/// What is stored decides whether the embeddings are tied: an output matrix of
/// its own counts whatever the hyper-parameters say (as in transformers 5), and
/// Meta's formats, which have no word for it, hold a copy.
Error WeightsOpener::settleTie(ArrayRef<StoredTensor> tensors, Naming naming) {
  const StoredTensor *embedding = findPlain(tensors, "tok_embeddings", naming);
  const StoredTensor *output = findPlain(tensors, "output", naming);
  if (!embedding || !output || !(config.tiedEmbeddings || isTieUnstated))
    return Error::success();
  Expected<bool> isTied = isCopy(*output, *embedding);
  if (!isTied)
    return isTied.takeError();
  if (config.tiedEmbeddings && !*isTied)
    config.remarks.push_back(
        (path + ": the embeddings are said to be tied, but tensor " +
         quote(output->name) + " is not a copy of " + quote(embedding->name) +
         ": the stored one counts")
            .str());
  config.tiedEmbeddings = *isTied;
  return Error::success();
}

Error WeightsOpener::bind(Expected<std::vector<StoredTensor>> tensors,
                          Naming naming, RowOrder order) {
  if (!tensors)
    return tensors.takeError();
  if (Error error = settleTie(*tensors, naming))
    return error;
  if (Error error =
          createFileCheckpoint(path, std::move(*tensors), naming, order, config)
              .moveInto(model.checkpoint))
    return error;
  if (naming == Naming::Gguf)
    return Error::success(); // comes with its tokenizer
  return readTokenizerFolder(path).moveInto(model.vocabulary);
}

/// config.json, and generation_config.json if it is there.
Error readHuggingFaceConfig(StringRef folder, ModelConfig &config) {
  std::string path = getPathIn(folder, "config.json");
  Expected<std::string> text = readTextFile(path);
  if (!text)
    return text.takeError();
  if (Error error = parseHuggingFaceConfig(*text, path).moveInto(config))
    return error;
  path = getPathIn(folder, "generation_config.json");
  if (!sys::fs::exists(path))
    return Error::success();
  text = readTextFile(path);
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
  isTieUnstated = true;
  std::string file = getPathIn(path, "params.json");
  Expected<std::string> text = readTextFile(file);
  if (!text)
    return text.takeError();
  return parseMetaParams(*text, file, shapes, quantization).moveInto(config);
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
  return bind(std::move(tensors), Naming::Meta, RowOrder::Interleaved);
}

Error WeightsOpener::openLayerPickle() {
  if (!isConfigGiven)
    if (Error error = readHuggingFaceConfig(path, config))
      return error;
  return bind(readLayerPickles(path, links), Naming::Meta, RowOrder::HalfSplit);
}

Error WeightsOpener::openNanotron() {
  std::string file = getPathIn(path, "model_config.json");
  Expected<std::string> text = readTextFile(file);
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
      model.name = name->second.strings[0];
    if (Error error = readGgufConfig(*file).moveInto(config))
      return error;
  }
  if (Error error =
          bind(std::move(file->tensors), Naming::Gguf, RowOrder::Interleaved))
    return error;
  return readGgufVocabulary(*file).moveInto(model.vocabulary);
}

} // namespace

Error openWeights(CheckpointFormat format, StringRef path, LinkPolicy links,
                  bool isConfigGiven, OpenedModel &model) {
  return WeightsOpener(path, links, isConfigGiven, model).open(format);
}
} // namespace llamaweights
