//===- CompileOptions.h - What a compilation is asked for -------*- C++ -*-===//
//
// What llama-compile's flags say, as plain values: a program that compiles
// models itself fills them in. That values go together is checked when they are
// asked for: what they mean depends on the input.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_DRIVER_COMPILEOPTIONS_H
#define LLAMA_COMPILER_DRIVER_COMPILEOPTIONS_H

#include "compiler/Frontend/Frontend.h"
#include "compiler/Output/ModelInfo.h"
#include "compiler/Output/StoredRows.h"
#include "compiler/Pipelines/Pipelines.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlir::llama {

/// What is optional was not given.
struct CompileOptions {
  std::string input;
  std::string output; ///< "": not given
  /// Name of the one symbol of a model that is linked into programs.
  std::optional<std::string> symbolPrefix;
  WeightStorage storage = WeightStorage::Embed;
  llamaweights::LinkPolicy linkPolicy = llamaweights::LinkPolicy::WithinFolder;

  ActivationType activations = ActivationType::BF16;
  std::optional<CacheType> kvType;
  unsigned bits = 0; ///< of matrices: 4, 8, or 0 for those of the checkpoint
  std::optional<unsigned> groupSize;
  bool isAsymmetric = false;
  std::optional<unsigned> activationBits;
  std::optional<int64_t> maxSeqLen;
  NonFiniteWeights nonFinite = NonFiniteWeights::Refused;

  std::string triple, cpu, attributes; ///< "": not given
  Stage lastStage = Stage::SharedObject;
  std::string dumpStages;               ///< a folder; "": not given
  bool requireChat = false;             ///< an error without a chat template
  std::optional<std::string> optReport; ///< a file; "": standard error
  /// Whatever else the caller was given that may name a file to write to, as
  /// flags of LLVM's do: none of them may be what is read.
  std::vector<std::string> otherFiles;

  /// Called while weights are written, in bytes; not called if empty.
  std::function<void(uint64_t done, uint64_t total)> progress;

  /// For a model that was made for so many positions. Fails if a number is out
  /// of range, or belongs to a flag that is not given.
  llvm::Expected<FrontendOptions> getFrontendOptions(int64_t positions) const;

  /// Whether the output is a model; else it is a stage on the way to one.
  bool isModel() const {
    return lastStage == Stage::SharedObject ||
           (lastStage == Stage::Object && symbolPrefix);
  }

  /// Fails if there cannot be a model of that name.
  llvm::Error checkSymbolPrefix() const;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_DRIVER_COMPILEOPTIONS_H
