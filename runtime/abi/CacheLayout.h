//===- CacheLayout.h - Bytes of the KV cache --------------------*- C++ -*-===//
//
// By llama_info's kv_type: "f32", "bf16", or "int8", where the elements of a
// key or value are followed by its scale.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_CACHELAYOUT_H
#define LLAMA_RUNTIME_ABI_CACHELAYOUT_H

#include "runtime/abi/LlamaABI.h"

#include <string_view>

namespace llamaabi {

/// Bytes of one key or value of one head.
constexpr uint64_t getCachedBytes(std::string_view kvType, uint64_t headDim) {
  if (kvType == "int8")
    return headDim + LLAMA_KV_SCALE_BYTES;
  return headDim * (kvType == "f32" ? 4 : 2);
}

/// Bytes of one block (page) of the cache, all layers.
constexpr uint64_t getCacheBlockBytes(std::string_view kvType, uint64_t layers,
                                      uint64_t kvHeads, uint64_t headDim) {
  return layers * 2 * kvHeads * LLAMA_KV_BLOCK *
         getCachedBytes(kvType, headDim);
}

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_CACHELAYOUT_H
