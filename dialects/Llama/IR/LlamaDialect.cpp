//===- LlamaDialect.cpp - Registration of the dialect ---------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"

#include "dialects/Llama/IR/LlamaOps.h"
#include "dialects/Llama/IR/LlamaTypes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::llama;

#include "dialects/Llama/IR/LlamaDialect.cpp.inc"

void LlamaDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Llama/IR/LlamaOps.cpp.inc"
      >();
  registerTypes();
}
