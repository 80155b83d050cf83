//===- EmitObject.h - LLVM dialect to machine code --------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_OUTPUT_EMITOBJECT_H
#define LLAMA_COMPILER_OUTPUT_EMITOBJECT_H

#include "compiler/Machine/TargetInfo.h"

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/SmallVector.h"

namespace llvm {
class Module;
} // namespace llvm

namespace mlir::llama {

enum class CodeFormat { Assembly, Object };

/// The bytes of an object file, or a text.
using Code = SmallVector<char, 0>;

/// Names of the functions that the runtime calls.
struct EntryPoints {
  std::string forward, workspace;
};

/// Those of the `variant`th of a model's targets: the names of
/// runtime/abi/LlamaABI.h, from the second on with a number.
EntryPoints getEntryPoints(size_t variant);

struct EmittedCode {
  Code bytes;
  /// Of the stack, that a call of llama_forward takes at most; what it calls of
  /// the runtime's comes on top.
  uint64_t stackBytes = 0;
};

/// Optimizes and translates a module of the LLVM dialect. Only the entry points
/// are exported.
llvm::Expected<EmittedCode> emitCode(ModuleOp module, const TargetInfo &target,
                                     const EntryPoints &names,
                                     CodeFormat format);

/// Translates a module as it is.
llvm::Expected<Code> translate(llvm::Module &module, const TargetInfo &target,
                               CodeFormat format);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_EMITOBJECT_H
