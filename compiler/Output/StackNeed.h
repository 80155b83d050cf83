//===- StackNeed.h - Stack that compiled functions take ---------*- C++ -*-===//
//
// frames, as the code generator has laid them out, along the longest chain of
// calls  =>  bytes
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_STACKNEED_H
#define LLAMA_COMPILER_OUTPUT_STACKNEED_H

#include "llvm/ADT/DenseMap.h"

#include <cstdint>

namespace llvm {
class Function;
class LLVMContext;
class Module;
} // namespace llvm

namespace mlir::llama {

/// Listens to the code generator for as long as it lives; `context` outlives it.
class StackNeed {
public:
  explicit StackNeed(llvm::LLVMContext &context);
  ~StackNeed();
  StackNeed(const StackNeed &) = delete;
  StackNeed &operator=(const StackNeed &) = delete;

  /// Asks for the frames of a module, before its code is generated.
  static void request(llvm::Module &module);

  /// What a call of `function` takes at most, after its code was generated.
  /// Calls through pointers, which lead out of the module, are not counted.
  uint64_t getBytes(const llvm::Function &function);

private:
  class Listener;

  llvm::LLVMContext &context;
  llvm::DenseMap<const llvm::Function *, uint64_t> frames; // if not empty
  llvm::DenseMap<const llvm::Function *, uint64_t> needs;  // once computed
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_STACKNEED_H
