//===- LlamaTypes.h - Types of the Llama dialect ----------------*- C++ -*-===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES_H
#define LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES_H

#include "dialects/Llama/IR/LlamaDialect.h"

#include "runtime/abi/ElementFormat.h"

#include "mlir/IR/Types.h"

#define GET_TYPEDEF_CLASSES
#include "dialects/Llama/IR/LlamaTypes.h.inc"

namespace mlir::llama {

using llamaabi::ElementFormat;

/// Whether weights may have elements of that type: f32, f16, bf16, integers.
bool isElementType(Type type);

/// What such a type is called in a model, and what its numbers mean.
ElementFormat getElementFormat(Type type);

} // namespace mlir::llama

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES_H
