//===- EmitObject.h - LLVM dialect to machine code --------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_OUTPUT_EMITOBJECT_H
#define LLAMA_COMPILER_OUTPUT_EMITOBJECT_H

#include "compiler/Machine/TargetInfo.h"

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/SmallVector.h"

namespace mlir::llama {

enum class CodeFormat { Assembly, Object };

/// What stands beside the code in the object file, under the names of
/// runtime/abi/LlamaABI.h.
struct ObjectData {
  std::string header;    ///< bytes of a llama_model_header; empty: code alone
  std::string info;      ///< JSON
  std::string tokenizer; ///< empty if there is none
  /// Zeros under llama_hashes, to be overwritten; 0: none.
  uint64_t hashesBytes = 0;
  /// Bytes to reserve under llama_weights, without contents; 0: none.
  uint64_t weightsBytes = 0;
};

/// Section of the object file that is reserved for the weights. The name makes
/// it one without contents.
inline constexpr llvm::StringLiteral kReservedSection = ".bss.weights";

/// Section of the hashes: the name makes it one with contents, which may only be
/// read.
inline constexpr llvm::StringLiteral kHashesSection = ".rodata.hashes";

/// Names of the functions that the runtime calls.
struct EntryPoints {
  std::string forward, workspace;
};

/// Those of the `variant`th of a model's targets: the names of
/// runtime/abi/LlamaABI.h, from the second on with a number.
EntryPoints getEntryPoints(size_t variant);

/// Optimizes and translates a module of the LLVM dialect. Only the entry points
/// and `data` are exported.
llvm::Expected<SmallVector<char, 0>>
emitCode(ModuleOp module, const TargetInfo &target, const EntryPoints &names,
         const ObjectData &data, CodeFormat format);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_EMITOBJECT_H
