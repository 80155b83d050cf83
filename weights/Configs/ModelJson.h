//===- ModelJson.h - model.json, written by hand ----------------*- C++ -*-===//
//
// Hyper-parameters, where the tensors are, tokenizer and chat template. The
// schema is in docs/model-json.md. Nothing but the text is looked at here.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONFIGS_MODELJSON_H
#define LLAMA_WEIGHTS_CONFIGS_MODELJSON_H

#include "weights/CheckpointFormat.h"
#include "weights/ModelConfig.h"

#include <optional>
#include <string>

namespace llamaweights {

struct ModelJson {
  std::string name; ///< empty if the file gives none
  ModelConfig config;
  CheckpointFormat format = CheckpointFormat::HuggingFace;
  // Paths as they are written: relative to the folder of model.json.
  std::string weightsPath;
  std::optional<std::string> tokenizerPath;
  std::optional<std::string> chatTemplate; ///< Jinja source
  std::optional<std::string> chatTemplatePath;
  std::optional<std::string> outputMapPath; ///< of config.outputTokens
};

/// `where` is the path of the file. The configuration in the result is
/// validated, as far as the file states it.
llvm::Expected<ModelJson> parseModelJson(llvm::StringRef text,
                                         llvm::StringRef where);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONFIGS_MODELJSON_H
