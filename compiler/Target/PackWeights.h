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
/// type.getRowScales(n) numbers of f16, for a row of n.
///
/// A group whose values are whole multiples of one number already, as those of
/// a quantized checkpoint are, keeps them: exactly if that number is one of
/// f16, else with a scale rounded to f16. Of other groups the largest magnitude
/// becomes 127 with 8 bits; with 4 bits, of which -8 is one, the scale is the
/// one of a few that loses least (sum of squares).
void packRow(QuantizedType type, llvm::ArrayRef<float> row,
             llvm::MutableArrayRef<uint8_t> integers,
             llvm::MutableArrayRef<uint16_t> scales);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_TARGET_PACKWEIGHTS_H
