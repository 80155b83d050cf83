//===- DetectFormat.cpp - What lies at a path -----------------------------===//
//
// By names; of single files, by what they begin with.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/DetectFormat.h"

#include "weights/FolderFiles.h"
#include "weights/Formats/HuggingFaceFolder.h"
#include "weights/Formats/LayerPickle.h"
#include "weights/Formats/MetaFolder.h"
#include "weights/Formats/Nanotron.h"
#include "weights/Formats/NpyFolder.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace llamaweights {
namespace {

DetectedFormat found(CheckpointFormat format, StringRef path) {
  return {path.str(), /*isModelJson=*/false, format};
}

DetectedFormat foundModelJson(StringRef path) {
  return {path.str(), /*isModelJson=*/true};
}

/// Formats that are known by a file in the folder, in this order.
struct Mark {
  CheckpointFormat format;
  bool (*isThere)(StringRef folder);
};
constexpr Mark kMarks[] = {
    {CheckpointFormat::HuggingFace, hasSafetensors},
    {CheckpointFormat::HuggingFace, hasTorchModel},
    {CheckpointFormat::Meta, hasMetaShards},
    {CheckpointFormat::Npy, hasNpy},
    {CheckpointFormat::LayerPickle, hasLayerPickles},
    {CheckpointFormat::Nanotron, hasNanotron},
};

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
  Expected<std::string> text = readTextFile(path);
  if (!text)
    return text.takeError();
  StringRef step = StringRef(*text).trim();
  if (step.empty() || !all_of(step, isDigit))
    return makeInputError(path, "expected the number of a step, found " +
                                    quote(step));
  return getPathIn(folder, step);
}

bool hasEntry(StringRef folder, StringRef prefix, StringRef suffix) {
  auto names = listFolder(folder, prefix, suffix);
  if (names)
    return !names->empty();
  consumeError(names.takeError());
  return false;
}

/// A folder that is none of the formats, but something that people take for
/// one: what it is, and what to do.
struct Lookalike {
  StringLiteral prefix, suffix; ///< of an entry that gives it away
  StringLiteral explanation;
};
constexpr Lookalike kLookalikes[] = {
    {"adapter_config", ".json",
     "is a LoRA adapter (adapter_config.json), not a model: merge it into its "
     "base model first (peft's merge_and_unload) and give the folder of the "
     "result"},
    {"adapter_model", "",
     "is a LoRA adapter (adapter_model), not a model: merge it into its base "
     "model first (peft's merge_and_unload) and give the folder of the result"},
    {"", ".distcp",
     "is a distributed checkpoint of torch (*.distcp): make one file of it "
     "first, with python -m torch.distributed.checkpoint.format_utils "
     "dcp_to_torch"},
    {"consolidated", ".safetensors",
     "holds consolidated.safetensors, in Mistral's own naming: expected the "
     "same model in Hugging Face's layout, config.json with "
     "model*.safetensors"},
    {"snapshots", "",
     "is a model's folder in the cache of Hugging Face's hub: give the folder "
     "of one of its snapshots, snapshots/REVISION"},
    {"models--", "",
     "is the cache of Hugging Face's hub: give the folder of a snapshot in it, "
     "models--OWNER--NAME/snapshots/REVISION"},
};

Error explainFolder(StringRef folder) {
  bool isHubFolder =
      hasEntry(folder, "blobs", "") || hasEntry(folder, "refs", "");
  if (isHubFolder && !hasEntry(getPathIn(folder, "snapshots"), "", ""))
    return makeInputError(folder,
                          "is a model's folder in the cache of Hugging Face's "
                          "hub, but holds no snapshot: download the model "
                          "again");
  for (const Lookalike &known : kLookalikes)
    if (hasEntry(folder, known.prefix, known.suffix))
      return makeInputError(folder, known.explanation);
  return makeInputError(
      folder, "holds none of model.json, model.safetensors, "
              "model.safetensors.index.json, pytorch_model.bin, "
              "pytorch_model.bin.index.json, consolidated.00.pth, "
              "tok_embeddings.weight.npy, layer_0.pkl, model_config.json with "
              "model/model, and a *.gguf file");
}

Expected<DetectedFormat> detectFolder(StringRef folder) {
  std::string modelJson = getPathIn(folder, "model.json");
  if (sys::fs::exists(modelJson))
    return foundModelJson(modelJson);
  for (const Mark &mark : kMarks)
    if (mark.isThere(folder))
      return found(mark.format, folder);
  Expected<std::string> step = findLatestStep(folder);
  if (!step)
    return step.takeError();
  if (!step->empty())
    return found(CheckpointFormat::Nanotron, *step);
  Expected<std::string> gguf = findGguf(folder);
  if (!gguf)
    return gguf.takeError();
  if (!gguf->empty())
    return found(CheckpointFormat::Gguf, *gguf);
  return explainFolder(folder);
}

/// Caches of downloads store GGUF files without an extension.
bool beginsLikeGguf(StringRef path) { return beginsWith(path, "GGUF"); }

/// Whether a file is one of those that a folder of a checkpoint consists of.
bool isPartOfFolder(StringRef path) {
  constexpr StringLiteral kNames[] = {
      "config.json",         "generation_config.json", "params.json",
      "model_config.json",   "tokenizer.json",         "tokenizer_config.json",
      "adapter_config.json", "special_tokens_map.json"};
  constexpr StringLiteral kExtensions[] = {
      ".safetensors", ".bin", ".pth", ".pt", ".npy", ".pkl", ".distcp"};
  return is_contained(kNames, sys::path::filename(path)) ||
         is_contained(kExtensions, sys::path::extension(path)) ||
         path.ends_with(".index.json");
}

Expected<DetectedFormat> detectFile(StringRef path) {
  // A file that is not what its name says is told as such.
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  if (sys::path::extension(path) == ".gguf" || beginsLikeGguf(path))
    return found(CheckpointFormat::Gguf, path);
  if (isPartOfFolder(path)) {
    StringRef folder = sys::path::parent_path(path);
    return makeInputError(path,
                          "is one file of a checkpoint: give its folder, " +
                              quote(folder.empty() ? "." : folder));
  }
  if (sys::path::extension(path) == ".json")
    return foundModelJson(path);
  return makeInputError(path, "expected a folder, a *.gguf file or a "
                              "model.json");
}

} // namespace

Expected<DetectedFormat> detectFormat(StringRef path) {
  if (!sys::fs::exists(path))
    return makeInputError(path, "does not exist");
  return sys::fs::is_directory(path) ? detectFolder(path) : detectFile(path);
}
} // namespace llamaweights
