//===- Registration.h - Dialects and passes of our tools --------*- C++ -*-===//

#ifndef LLAMA_COMPILER_PIPELINES_REGISTRATION_H
#define LLAMA_COMPILER_PIPELINES_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::llama {

/// Every dialect and external interface that a stage of the compiler may use.
void registerLlamaCompiler(DialectRegistry &registry);

/// Our passes and pipelines, and upstream's, for tools that take them as flags.
void registerLlamaPasses();

} // namespace mlir::llama

#endif // LLAMA_COMPILER_PIPELINES_REGISTRATION_H
