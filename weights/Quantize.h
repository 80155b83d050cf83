//===- Quantize.h - Block types of GGUF files and numbers -------*- C++ -*-===//
//
// A row of a block type is a whole number of blocks; DType.def has their sizes
// and Quantize.cpp their layouts.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_QUANTIZE_H
#define LLAMA_WEIGHTS_QUANTIZE_H

#include "weights/DType.h"

#include <cstdint>

namespace llamaweights {

/// Writes the values of `count` elements of the block type `type`, a multiple
/// of its block. The result is the one ggml defines, to the bit: products and
/// sums in f32, each rounded once, in the order of the comments in
/// Quantize.cpp.
void dequantize(DType type, const char *blocks, float *out, int64_t count);

/// The reverse, for Q8_0 and Q4_0, as ggml's reference does it: the scale from
/// the element of the largest magnitude, codes rounded to the nearest.
void quantize(DType type, const float *values, char *blocks, int64_t count);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_QUANTIZE_H
