//===- Cache.h - Blocks of the KV cache -------------------------*- C++ -*-===//
//
// A block has, for every layer, 64 keys and 64 values of every KV head. Those
// of one head lie together:
//
//   keys    [headDim, 64]   across, so that 64 scores are one row of sums
//   values  [64, headDim]
//
// With elements of 8 bits, 64 scales follow in bf16: of each key, or value, of
// a head the largest magnitude is 127 steps. Scales are stored as two rows of
// 64 bytes, low ones first; the type of the cache counts them as two more
// elements of a head (CacheShape).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_CONVERSION_CACHE_H
#define LLAMA_COMPILER_CPU_CONVERSION_CACHE_H

#include "compiler/CPU/Conversion/Lowerings.h"
#include "dialects/Llama/IR/LlamaOps.h"

namespace mlir::llama {

/// Keys or values of one head in one block, with the scale of each.
struct CachedBlock {
  Value elements; ///< keys [headDim, 64], values [64, headDim]
  Value scales;   ///< [64] f32; null if the elements are floating point
};

/// The number of the block that holds block `number` of row `t`'s sequence.
Value findBlock(RowBuilder &b, const CacheRows &rows, Value t, Value number);

CachedBlock loadKeys(RowBuilder &b, const CacheRows &rows, Value block,
                     Value kvHead);
CachedBlock loadValues(RowBuilder &b, const CacheRows &rows, Value block,
                       Value kvHead);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_CONVERSION_CACHE_H
