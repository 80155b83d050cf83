//===- PackWeights.h - Rows of numbers to integers with scales --*- C++ -*-===//
//
// f32 row  =>  the integers and scales of !llama.quantized
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_TARGET_PACKWEIGHTS_H
#define LLAMA_COMPILER_TARGET_PACKWEIGHTS_H

#include "dialects/Llama/IR/LlamaTypes.h"

#include "llvm/ADT/ArrayRef.h"

namespace mlir::llama {

/// Quantizes a row: `integers` are type.getRowBytes(n) bytes, `scales`
/// type.getRowScales(n) numbers of f16, for a row of n. With 8 bits the largest
/// magnitude of a group becomes 127; with 4 bits, of which -8 is one, the scale
/// is the one of a few that loses least (sum of squares).
void packRow(QuantizedType type, llvm::ArrayRef<float> row,
             llvm::MutableArrayRef<uint8_t> integers,
             llvm::MutableArrayRef<uint16_t> scales);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_TARGET_PACKWEIGHTS_H
