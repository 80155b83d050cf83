//===- Quantize.h - Block types of GGUF files and numbers -------*- C++ -*-===//
//
// A row of a block type is a whole number of blocks; DType.def has their sizes
// and Quantize.cpp their layouts.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_QUANTIZATION_QUANTIZE_H
#define LLAMA_WEIGHTS_QUANTIZATION_QUANTIZE_H

#include "weights/DType.h"

#include <cstdint>

namespace llamaweights {

/// Writes the values of `count` elements of the block type `type`, a multiple
/// of its block. The result is the one ggml defines, to the bit: products and
/// sums in f32, each rounded once, in the order of the comments in
/// Quantize.cpp.
void dequantize(DType type, const char *blocks, float *out, int64_t count);

/// Bits of the codes of a block type of which every 32 elements have a scale
/// and a minimum of their own: of Q4_1, Q5_1, Q4_K and Q5_K. 0 of all others.
int getMinimumBits(DType type);

/// What blocks of such a type hold: a code for each of `count` elements, and
/// for every 32 of them a scale and a minimum of f16, so that an element is
/// scale * code + minimum. Of Q4_1 and Q5_1 as they are stored; of the others,
/// which are products there, rounded.
void readCodes(DType type, const char *blocks, uint8_t *codes, uint16_t *scales,
               uint16_t *minimums, int64_t count);

/// The reverse of dequantize, for Q8_0 and Q4_0, as ggml's reference does it:
/// the scale from the element of the largest magnitude, codes rounded to the
/// nearest.
void quantize(DType type, const float *values, char *blocks, int64_t count);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_QUANTIZATION_QUANTIZE_H
