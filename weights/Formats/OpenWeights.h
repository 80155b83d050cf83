//===- OpenWeights.h - Tensors and tokenizer of each format -----*- C++ -*-===//
//
// folder | *.gguf, and what format it has  =>  most of an OpenedModel
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_OPENWEIGHTS_H
#define LLAMA_WEIGHTS_FORMATS_OPENWEIGHTS_H

#include "weights/Formats/OpenedModel.h"

namespace llamaweights {

/// Opens the tensors and the tokenizer at `path`; the hyper-parameters too,
/// unless a model.json has stated them (`isConfigGiven`).
llvm::Error openWeights(CheckpointFormat format, llvm::StringRef path,
                        LinkPolicy links, bool isConfigGiven,
                        OpenedModel &model);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_OPENWEIGHTS_H
