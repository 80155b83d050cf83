//===- Flags.h - The command line of llama-compile --------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_TOOLS_FLAGS_H
#define LLAMA_COMPILER_TOOLS_FLAGS_H

#include "compiler/Driver/CompileOptions.h"

namespace mlir::llama {

struct Flags {
  CompileOptions options;
  bool isQuiet = false;
};

/// Registers the flags of this tool and MLIR's, reads them, and says on
/// standard error what is wrong with them: nothing comes back then. --help and
/// --version end the program.
std::optional<Flags> parseFlags(int argc, char **argv);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_TOOLS_FLAGS_H
