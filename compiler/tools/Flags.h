//===- Flags.h - What llama-compile is asked for ----------------*- C++ -*-===//
//
//   llama-compile INPUT -o model.so --quantize=int8   =>   Flags
//
// The command line, read once. That values go together is checked when they are
// asked for: what they mean depends on the input.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_TOOLS_FLAGS_H
#define LLAMA_COMPILER_TOOLS_FLAGS_H

#include "compiler/Frontend/Frontend.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Target/ModelInfo.h"

#include <optional>
#include <string>

namespace mlir::llama {

/// What is optional was not given.
struct Flags {
  std::string input;
  std::string output; ///< "": not given
  WeightStorage storage = WeightStorage::Embed;
  llamaweights::LinkPolicy linkPolicy = llamaweights::LinkPolicy::WithinFolder;
  bool isQuiet = false;

  NumberType activations = NumberType::BF16;
  std::optional<CacheType> kvType;
  unsigned bits = 0; ///< of matrices: 4, 8, or 0 for those of the checkpoint
  std::optional<unsigned> groupSize;
  bool isAsymmetric = false;
  std::optional<unsigned> activationBits;
  std::optional<int64_t> maxSeqLen;

  std::string triple, cpu, attributes; ///< "": not given
  Stage lastStage = Stage::SharedObject;
  std::string dumpStages;               ///< a folder; "": not given
  std::optional<std::string> optReport; ///< a file; "": standard error

  /// For a model that was made for so many positions. Fails if a number is out
  /// of range, or belongs to a flag that is not given.
  llvm::Expected<FrontendOptions> getFrontendOptions(int64_t positions) const;
};

/// Registers the flags of this tool and MLIR's, reads them, and says on
/// standard error what is wrong with them: nothing comes back then. --help and
/// --version end the program.
std::optional<Flags> parseFlags(int argc, char **argv);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_TOOLS_FLAGS_H
