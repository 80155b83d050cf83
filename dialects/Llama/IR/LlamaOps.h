//===- LlamaOps.h - Ops of the Llama dialect --------------------*- C++ -*-===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMAOPS_H
#define LLAMA_DIALECTS_LLAMA_IR_LLAMAOPS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "dialects/Llama/IR/LlamaTypes.h"
#include "runtime/abi/LlamaABI.h"
#include "runtime/abi/TensorLayout.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::llama {

/// Name of one layer's tensor of the layered weight `symbol`, which begins with
/// "layers.".
std::string getLayerTensorName(StringRef symbol, int64_t layer);

/// Positions in one page of the KV cache.
inline constexpr int64_t kCacheBlock = LLAMA_KV_BLOCK;

/// Elements of 8 bits that the bf16 scale of a key or value takes.
inline constexpr int64_t kCacheScaleBytes = LLAMA_KV_SCALE_BYTES;

/// Sizes of a cache [blocks, layers, 2, kvHeads, kCacheBlock, headDim]; of i8,
/// headDim is followed by kCacheScaleBytes.
struct CacheShape {
  int64_t layers, kvHeads, headDim;
  bool hasScales; ///< elements are steps of a scale
  explicit CacheShape(MemRefType type)
      : layers(type.getDimSize(1)), kvHeads(type.getDimSize(3)),
        headDim(type.getDimSize(5)),
        hasScales(type.getElementType().isInteger(8)) {
    if (hasScales)
      headDim -= kCacheScaleBytes;
  }
};

} // namespace mlir::llama

#define GET_OP_CLASSES
#include "dialects/Llama/IR/LlamaOps.h.inc"

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAOPS_H
