//===- TokenizerFiles.h - The tokenizer next to the tensors -----*- C++ -*-===//
//
// Files of a folder are copied along as they are. A GGUF file has none: its
// vocabulary becomes a tokenizer.model or a tokenizer.json.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_TOKENIZERFILES_H
#define LLAMA_WEIGHTS_WRITERS_TOKENIZERFILES_H

#include "weights/Formats/OpenedModel.h"
#include "weights/OutputFile.h"

namespace llamaweights {

llvm::Error writeTokenizerFiles(const OpenedModel &model,
                                const OutputFolder &folder);

/// tokenizer.json of a byte-level vocabulary.
std::string printTokenizerJson(const Vocabulary &vocabulary);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_TOKENIZERFILES_H
