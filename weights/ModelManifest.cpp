//===- ModelManifest.cpp - model.json and what stands in for it -----------===//
//
// Looks at what is there, decides what it is, and calls the reader.
//
//===----------------------------------------------------------------------===//

#include "weights/ModelManifest.h"

#include "weights/InputError.h"
#include "weights/InputFile.h"
#include "weights/Readers/HuggingFaceConfig.h"
#include "weights/Readers/ModelJson.h"
#include "weights/Readers/Safetensors.h"

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

Expected<std::string> readText(StringRef path) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  return (*file)->readAll(kLongestText);
}

Error openHuggingFace(StringRef folder, ModelManifest &manifest) {
  std::string configPath = join(folder, "config.json");
  Expected<std::string> text = readText(configPath);
  if (!text)
    return text.takeError();
  auto config = parseHuggingFaceConfig(*text, configPath);
  if (!config)
    return config.takeError();
  manifest.config = std::move(*config);

  std::string generationPath = join(folder, "generation_config.json");
  if (sys::fs::exists(generationPath)) {
    Expected<std::string> generation = readText(generationPath);
    if (!generation)
      return generation.takeError();
    if (Error error =
            addGenerationConfig(*generation, generationPath, manifest.config))
      return error;
  }

  auto tensors = readSafetensorsFolder(folder);
  if (!tensors)
    return tensors.takeError();
  return createFileCheckpoint(folder, std::move(*tensors), Naming::HuggingFace,
                              manifest.config)
      .moveInto(manifest.checkpoint);
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
  std::string weights = join(folder, model->weightsPath);
  auto tensors = readSafetensorsFolder(weights);
  if (!tensors)
    return tensors.takeError();
  return createFileCheckpoint(weights, std::move(*tensors), Naming::HuggingFace,
                              manifest.config)
      .moveInto(manifest.checkpoint);
}

Error openFolder(StringRef folder, ModelManifest &manifest) {
  std::string modelJson = join(folder, "model.json");
  if (sys::fs::exists(modelJson))
    return openModelJson(modelJson, manifest);
  if (hasSafetensors(folder))
    return openHuggingFace(folder, manifest);
  return makeInputError(folder, "holds none of model.json, model.safetensors "
                                "and model.safetensors.index.json");
}

/// The last component of a path, made absolute: what a person would call it.
std::string getNameOf(StringRef path) {
  SmallString<256> absolute(path);
  sys::fs::make_absolute(absolute);
  sys::path::remove_dots(absolute, /*remove_dot_dot=*/true);
  return sys::path::filename(absolute).str();
}

} // namespace

Expected<ModelManifest> ModelManifest::open(StringRef path) {
  ModelManifest manifest;
  manifest.path = path.str();
  manifest.name = getNameOf(path);
  Error error = sys::fs::is_directory(path) ? openFolder(path, manifest)
                                            : openModelJson(path, manifest);
  if (error)
    return std::move(error);
  return manifest;
}

} // namespace llamaweights
