//===- LlamaAttributes.h - Discardable attributes of a model ----*- C++ -*-===//
//
// What travels with a module from stage to stage besides its ops.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES_H
#define LLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES_H

#include "mlir/Support/LLVM.h"

#include "llvm/ADT/StringRef.h"

namespace mlir::llama {

/// On the module, a string: path of the checkpoint that the weights come from.
inline constexpr StringLiteral kModelAttr = "llama.model";

/// On an argument of a function, a string: its name. Those of @forward are
/// fields of llama_call in runtime/abi/LlamaABI.h.
inline constexpr StringLiteral kArgumentAttr = "llama.argument";

/// On an argument of a function, a string: which number of rows its first
/// dimension is, "rows" or "logit_rows".
inline constexpr StringLiteral kExtentAttr = "llama.extent";

/// On a memref.global, a unit: the weight stacks one tensor per layer.
inline constexpr StringLiteral kLayeredAttr = "llama.layered";

/// On a memref.global, an i64: byte offset of the weight in the block of
/// weights.
inline constexpr StringLiteral kOffsetAttr = "llama.offset";

/// On the module, an i64: bytes of the block of weights.
inline constexpr StringLiteral kWeightsBytesAttr = "llama.weights_bytes";

} // namespace mlir::llama

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES_H
