//===- CompiledModel.h - The weights inside a model.so ----------*- C++ -*-===//
//
// A model.so is a shared object whose symbols say where a description (JSON),
// the hashes and the block of weights are. Nothing of it is loaded or run here.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_COMPILEDMODEL_H
#define LLAMA_WEIGHTS_FORMATS_COMPILEDMODEL_H

#include "runtime/abi/ModelInfo.h"
#include "weights/Checkpoint.h"

#include <map>

namespace llamaweights {

struct CompiledModel {
  llamaabi::ModelInfo info;
  std::unique_ptr<Checkpoint> checkpoint;
  std::map<std::string, std::string> hashes; ///< BLAKE3 by tensor, as stated
};

/// Whether the file begins as an ELF file does.
bool beginsLikeElf(llvm::StringRef path);

/// Weights of a model that was compiled with --weights=external are read from
/// the file next to it.
llvm::Expected<CompiledModel> openCompiledModel(llvm::StringRef path);

/// The bytes of runtime/abi/TokenizerFormat.h, not looked at; empty if the model
/// has no tokenizer.
llvm::Expected<std::string> readCompiledTokenizer(llvm::StringRef path);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_COMPILEDMODEL_H
