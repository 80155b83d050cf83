//===- SymbolPrefix.h - Names that a linked model may have ------*- C++ -*-===//

#ifndef LLAMA_COMPILER_OUTPUT_SYMBOLPREFIX_H
#define LLAMA_COMPILER_OUTPUT_SYMBOLPREFIX_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace mlir::llama {

/// "", or why C and C++ programs cannot have a variable of that name: what was
/// expected of it.
std::string checkSymbolPrefix(llvm::StringRef name);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_SYMBOLPREFIX_H
