//===- LlamaDialect.h - The vocabulary of a Llama model ---------*- C++ -*-===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT_H
#define LLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT_H

#include "mlir/IR/Dialect.h"

#include "dialects/Llama/IR/LlamaDialect.h.inc"

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT_H
