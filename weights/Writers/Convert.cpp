//===- Convert.cpp - A checkpoint in another format -----------------------===//
//
// Refuses what cannot be done, then lets the format's writer do the rest.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/Convert.h"

#include "weights/Formats/Integrity.h"
#include "weights/InputError.h"
#include "weights/Writers/TokenizerFiles.h"
#include "weights/Writers/Writers.h"

#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace llamaweights {
namespace {

bool isPlain(DType type) {
  return type == DType::F32 || type == DType::F16 || type == DType::BF16;
}

Error checkTypes(const OpenedModel &model, const ConvertOptions &options) {
  StringRef format = getName(options.format);
  if (options.checklist && options.format != CheckpointFormat::Meta)
    return makeInputError("--checklist",
                          "belongs to --to=meta, not to " + format);
  if (options.format == CheckpointFormat::Gguf)
    return Error::success();
  if (options.dtype && !isPlain(*options.dtype))
    return makeInputError("--dtype=" + getName(*options.dtype),
                          "only GGUF files hold it, not " + format);
  if (options.format == CheckpointFormat::LayerPickle && options.dtype &&
      *options.dtype != DType::F32)
    return makeInputError("--dtype=" + getName(*options.dtype),
                          "layers are pickled as f32");
  if (options.dtype || options.format == CheckpointFormat::LayerPickle)
    return Error::success();
  for (const TensorInfo &tensor : model.checkpoint->getTensors())
    if (!isPlain(tensor.dtype))
      return makeInputError(tensor.file,
                            "tensor " + quote(tensor.sourceName) + ": is " +
                                getName(tensor.dtype) + ", which " + format +
                                " cannot hold; expected --dtype=f32, f16 or "
                                "bf16");
  return Error::success();
}

/// Whether the attention factor is one that only GGUF's keys and Meta's params
/// can state: config.json has it for YaRN alone.
bool hasOwnAttentionFactor(const ModelConfig &config) {
  bool isYarn =
      config.ropeScaling && config.ropeScaling->rule == RopeRule::Yarn;
  return config.ropeAttentionFactor != 1.0 && !isYarn;
}

/// A list of divisors, which only GGUF has, as the rule it comes from.
Error settleRope(ModelConfig &config, const OpenedModel &model,
                 CheckpointFormat format) {
  // llama.cpp's converter computes the divisors in f32.
  constexpr double kTolerance = 1e-4;
  if (format == CheckpointFormat::Gguf)
    return Error::success();
  bool isMeta =
      format == CheckpointFormat::Meta || format == CheckpointFormat::Npy;
  if (!isMeta && hasOwnAttentionFactor(config))
    return makeInputError(model.path,
                          "its rotary angles have an attention factor without "
                          "YaRN, which " +
                              getName(format) + " cannot express");
  if (config.ropeDivisors.empty())
    return Error::success();
  auto scaling = recognizeRopeScaling(config, kTolerance);
  if (!scaling)
    return makeInputError(model.path,
                          "its rotary frequencies have divisors of their own, "
                          "which " +
                              getName(format) + " cannot express");
  config.ropeScaling = scaling;
  config.ropeDivisors.clear();
  return Error::success();
}

/// A pruned output matrix, of which only params.json tells the tokens.
Error checkOutput(const OpenedModel &model, CheckpointFormat format) {
  const ModelConfig &config = model.config;
  if (config.outputTokens.empty() || format == CheckpointFormat::Meta ||
      format == CheckpointFormat::Npy)
    return Error::success();
  return makeInputError(model.path, "its output matrix has rows for " +
                                        Twine(config.getOutputRows()) + " of " +
                                        Twine(config.vocab) +
                                        " tokens, which " + getName(format) +
                                        " cannot express");
}

/// md5 of every file that Meta lists.
Error writeChecklist(const OutputFolder &folder) {
  std::string text;
  for (StringRef name :
       {"consolidated.00.pth", "params.json", "tokenizer.model"}) {
    std::string path = folder.getTemporaryPath(name);
    if (!sys::fs::exists(path))
      continue;
    auto sum = getMd5(path, [](int64_t) {});
    if (!sum)
      return sum.takeError();
    text += *sum + "  " + name.str() + "\n";
  }
  return folder.writeFile("checklist.chk", text);
}

Error writeFolder(const WritePlan &plan, CheckpointFormat format,
                  OutputFolder &folder) {
  switch (format) {
  case CheckpointFormat::HuggingFace:
    return writeHuggingFace(plan, folder);
  case CheckpointFormat::Meta:
    return writeMeta(plan, folder);
  case CheckpointFormat::Npy:
    return writeNpy(plan, folder);
  case CheckpointFormat::LayerPickle:
    return writeLayerPickles(plan, folder);
  case CheckpointFormat::Nanotron:
    return writeNanotron(plan, folder);
  case CheckpointFormat::Gguf:
    break;
  }
  llvm_unreachable("a format that is a folder");
}

} // namespace

Error convertCheckpoint(const OpenedModel &model, StringRef to,
                        ConvertOptions options,
                        function_ref<Error(int64_t)> progress) {
  if (Error error = checkTypes(model, options))
    return error;
  if (Error error = checkOutput(model, options.format))
    return error;
  ModelConfig config = model.config;
  if (Error error = settleRope(config, model, options.format))
    return error;
  WritePlan plan = {model, config, options.dtype, progress};
  if (options.format == CheckpointFormat::Gguf) {
    auto file = OutputFile::create(to);
    if (!file)
      return file.takeError();
    if (Error error = writeGguf(plan, *file))
      return error;
    return file->keep();
  }
  auto folder = OutputFolder::create(to);
  if (!folder)
    return folder.takeError();
  if (Error error = writeFolder(plan, options.format, *folder))
    return error;
  if (Error error = writeTokenizerFiles(model, *folder))
    return error;
  if (options.checklist)
    if (Error error = writeChecklist(*folder))
      return error;
  return folder->keep();
}

} // namespace llamaweights
