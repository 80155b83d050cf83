//===- LlamaTypes.h - Types of the Llama dialect ----------------*- C++ -*-===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES_H
#define LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES_H

#include "dialects/Llama/IR/LlamaDialect.h"

#include "mlir/IR/Types.h"

#define GET_TYPEDEF_CLASSES
#include "dialects/Llama/IR/LlamaTypes.h.inc"

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES_H
