//===- ConfigFiles.h - Hyper-parameters as each format has them -*- C++ -*-===//
//
// ModelConfig  =>  config.json, params.json, model_config.json
//
// What the readers of these files conclude from them is the ModelConfig again.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_CONFIGFILES_H
#define LLAMA_WEIGHTS_WRITERS_CONFIGFILES_H

#include "weights/DType.h"
#include "weights/ModelConfig.h"

namespace llamaweights {

/// Hugging Face's config.json. `type` is that of the matrices.
std::string printHuggingFaceConfig(const ModelConfig &config, DType type);

/// Meta's params.json. Keys that Meta's programs do not know are only there
/// where a reader would otherwise conclude something else.
std::string printMetaParams(const ModelConfig &config);

/// nanotron's model_config.json, rows of q and k half-split.
std::string printNanotronConfig(const ModelConfig &config);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_CONFIGFILES_H
