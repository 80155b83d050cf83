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
  return makeInputError(
      folder, "holds none of model.json, model.safetensors, "
              "model.safetensors.index.json, pytorch_model.bin, "
              "pytorch_model.bin.index.json, consolidated.00.pth, "
              "tok_embeddings.weight.npy, layer_0.pkl, model_config.json with "
              "model/model, and a *.gguf file");
}

/// Caches of downloads store GGUF files without an extension.
bool beginsLikeGguf(StringRef path) { return beginsWith(path, "GGUF"); }

} // namespace

Expected<DetectedFormat> detectFormat(StringRef path) {
  if (!sys::fs::exists(path))
    return makeInputError(path, "does not exist");
  if (sys::fs::is_directory(path))
    return detectFolder(path);
  if (sys::path::extension(path) == ".gguf" || beginsLikeGguf(path))
    return found(CheckpointFormat::Gguf, path);
  if (sys::path::extension(path) == ".json")
    return foundModelJson(path);
  return makeInputError(path, "expected a folder, a *.gguf file or a "
                              "model.json");
}
} // namespace llamaweights
