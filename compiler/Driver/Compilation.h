//===- Compilation.h - A checkpoint to a model.so ---------------*- C++ -*-===//
//
//   model.json | checkpoint directory | *.gguf | *.mlir[bc]   =>   model.so
//
// The whole of llama-compile but its command line, for programs that compile
// models themselves.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_DRIVER_COMPILATION_H
#define LLAMA_COMPILER_DRIVER_COMPILATION_H

#include "compiler/Driver/CompileOptions.h"

#include "mlir/IR/MLIRContext.h"

namespace mlir::llama {

struct CompileResult {
  std::string model; ///< path of the model; "" if none was asked for
  std::vector<std::string> cpus; ///< that it has code for
  /// What was concluded about the checkpoint though its files do not say so.
  std::vector<std::string> remarks;
  std::vector<std::string> warnings; ///< what was left out of the model
};

/// Compiles what the options say, in a context with all dialects of
/// registerLlamaCompiler. An error is one line: where, expected, found.
llvm::Expected<CompileResult> compile(const CompileOptions &options,
                                      MLIRContext &context);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_DRIVER_COMPILATION_H
