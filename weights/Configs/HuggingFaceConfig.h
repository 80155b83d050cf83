//===- HuggingFaceConfig.h - config.json, generation_config.json -*- C++ -*-==//
//
// hidden_size, num_hidden_layers, rope_scaling ...  =>  ModelConfig
//
// Keys that change what a Llama computes are refused unless they have the value
// that changes nothing; keys about training, sampling or book-keeping are known
// and ignored; any other key is an error, because nobody can say which of the
// two it is.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONFIGS_HUGGINGFACECONFIG_H
#define LLAMA_WEIGHTS_CONFIGS_HUGGINGFACECONFIG_H

#include "weights/ModelConfig.h"

namespace llamaweights {

/// Reads the text of a config.json; `where` is its path. The result is
/// validated.
llvm::Expected<ModelConfig> parseHuggingFaceConfig(llvm::StringRef text,
                                                   llvm::StringRef where);

/// Adds the end-of-text tokens that a generation_config.json lists, and its
/// begin-of-text token if there was none.
llvm::Error addGenerationConfig(llvm::StringRef text, llvm::StringRef where,
                                ModelConfig &config);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONFIGS_HUGGINGFACECONFIG_H
