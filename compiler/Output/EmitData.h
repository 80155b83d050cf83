//===- EmitData.h - What stands beside the code of a model ------*- C++ -*-===//
//
// header, info, tokenizer, room for hashes and weights  =>  an object file
//
// With a name for it, one table that points to all of them and to the code of
// each processor: what a program is linked with (llama_linked_model).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_EMITDATA_H
#define LLAMA_COMPILER_OUTPUT_EMITDATA_H

#include "compiler/Output/EmitObject.h"

namespace mlir::llama {

/// Under the names of runtime/abi/LlamaABI.h.
struct ObjectData {
  std::string header;    ///< bytes of a llama_model_header
  std::string info;      ///< JSON
  std::string tokenizer; ///< empty if there is none
  /// Zeros under llama_hashes, to be overwritten.
  uint64_t hashesBytes = 0;
  /// Bytes to reserve under llama_weights, without contents; 0: none.
  uint64_t weightsBytes = 0;
};

/// Section of the object file that is reserved for the weights. The name makes
/// it one without contents.
inline constexpr llvm::StringLiteral kReservedSection = ".bss.weights";

/// Sections of what is known last, the hashes and a part of the info: names make
/// them ones with contents, which may only be read.
inline constexpr llvm::StringLiteral kHashesSection = ".rodata.hashes";
inline constexpr llvm::StringLiteral kInfoSection = ".rodata.info";

/// `symbolPrefix`: the name of a table for `codeCount` processors; "": none.
llvm::Expected<Code> emitData(const ObjectData &data, const TargetInfo &target,
                              StringRef symbolPrefix, size_t codeCount);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_EMITDATA_H
