//===- CallArguments.h - What every function of a model is given -*- C++ -*-===//
//
//   func @layer(%x)
//
//   =>  func @layer(%x, %workspace {llama.argument = "workspace"}, ...)
//
// and the same at every call. The names are those of the fields of llama_call
// (runtime/abi/LlamaCall.def); the entry point fills them in.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_PLACEMENT_CALLARGUMENTS_H
#define LLAMA_COMPILER_PLACEMENT_CALLARGUMENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::llama {

/// The argument of that name, or null.
BlockArgument findArgument(func::FuncOp function, StringRef name);

/// The argument, a memref, whose first dimension `size` is, or null.
BlockArgument findSizedArgument(Value size);

/// Which rows `size` counts: kRowCountAttr of that argument, or empty.
StringRef findSizeKind(Value size);

/// kRowCountAttr of an argument of a function, or empty.
StringRef getRowCountKind(BlockArgument argument);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_PLACEMENT_CALLARGUMENTS_H
