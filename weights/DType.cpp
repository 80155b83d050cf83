//===- DType.cpp - Element and block types of stored tensors --------------===//
//
// Three tables made from DType.def.
//
//===----------------------------------------------------------------------===//

#include "weights/DType.h"

using namespace llvm;

namespace llamaweights {

StringRef getName(DType type) {
  static constexpr const char *kNames[] = {
#define DTYPE(id, name, elements, bytes) name,
#include "weights/DType.def"
  };
  return kNames[size_t(type)];
}

int64_t getBlockElements(DType type) {
  static constexpr int64_t kElements[] = {
#define DTYPE(id, name, elements, bytes) elements,
#include "weights/DType.def"
  };
  return kElements[size_t(type)];
}

int64_t getBlockBytes(DType type) {
  static constexpr int64_t kBytes[] = {
#define DTYPE(id, name, elements, bytes) bytes,
#include "weights/DType.def"
  };
  return kBytes[size_t(type)];
}

} // namespace llamaweights
