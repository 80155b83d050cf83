//===- DType.h - Element and block types of stored tensors ------*- C++ -*-===//
//
// DType::BF16 -> "bf16", one element of two bytes; DType::Q4_0 -> blocks of 32
// elements in 18 bytes. The list is in DType.def.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_DTYPE_H
#define LLAMA_WEIGHTS_DTYPE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace llamaweights {

enum class DType : uint8_t {
#define DTYPE(id, name, elements, bytes) id,
#include "weights/DType.def"
};

/// The lower-case name, as printed and as used in JSON.
llvm::StringRef getName(DType type);

/// Elements in one block; 1 for the plain types.
int64_t getBlockElements(DType type);

/// Bytes of one block.
int64_t getBlockBytes(DType type);

/// Whether a block holds more than one element.
inline bool isQuantized(DType type) { return getBlockElements(type) != 1; }

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_DTYPE_H
