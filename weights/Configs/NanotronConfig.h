//===- NanotronConfig.h - model_config.json ---------------------*- C++ -*-===//
//
// hidden_size, rope_interleaved ...  =>  ModelConfig, order of rows
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONFIGS_NANOTRONCONFIG_H
#define LLAMA_WEIGHTS_CONFIGS_NANOTRONCONFIG_H

#include "weights/ModelConfig.h"
#include "weights/RopeOrder.h"

namespace llamaweights {

/// Reads the text of a model_config.json; `where` is its path. `order` is that
/// of the rows of q and k. The result is validated.
llvm::Expected<ModelConfig> parseNanotronConfig(llvm::StringRef text,
                                                llvm::StringRef where,
                                                RowOrder &order);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONFIGS_NANOTRONCONFIG_H
