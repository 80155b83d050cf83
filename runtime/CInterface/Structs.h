//===- Structs.h - Structs of callers of other versions ---------*- C++ -*-===//
//
// How the rules G1 to G6 of llamart.h are kept.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_CINTERFACE_STRUCTS_H
#define LLAMA_RUNTIME_CINTERFACE_STRUCTS_H

#include "runtime/Error.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace llamart {

/// Throws Error(Argument) for what can be no struct's size.
inline void checkStructSize(size_t size, const char *name) {
  constexpr size_t kLargest = 4096; // what is larger was not set
  if (size < sizeof(size_t) || size > kLargest || size % sizeof(size_t) != 0)
    throw Error(ErrorKind::Argument, name, ": struct_size is ", size,
                ", expected a multiple of 8 up to ", kLargest);
}

/// What the caller knows more than we do must be 0. (G3)
template <typename T>
void checkRest(const T &given, const char *name) {
  const auto *bytes = reinterpret_cast<const unsigned char *>(&given);
  for (size_t i = sizeof(T); i < given.struct_size; ++i)
    if (bytes[i] != 0)
      throw Error(ErrorKind::Unsupported, name, ": byte ", i,
                  " is set, this library knows ", sizeof(T),
                  ": it is older than the program");
}

/// The caller's struct as ours: what is not there is 0. (G2)
template <typename T>
T readStruct(const T &given, const char *name) {
  static_assert(std::is_trivially_copyable_v<T>);
  checkStructSize(given.struct_size, name);
  checkRest(given, name);
  T result = {};
  std::memcpy(static_cast<void *>(&result), &given,
              std::min(given.struct_size, sizeof(T)));
  return result;
}

/// The same for a pointer to options, null for `defaults`.
template <typename T>
T readOptions(const T *given, const T &defaults, const char *name) {
  return given ? readStruct(*given, name) : defaults;
}

/// Fields that a later version may give a meaning. (G5)
inline void checkReserved(int32_t reserved, const char *name) {
  if (reserved != 0)
    throw Error(ErrorKind::Unsupported, name, ": reserved is ", reserved,
                ", expected 0");
}

/// Writes as much of a result as the caller has room for; what it has beyond
/// becomes 0. (G4)
template <typename T>
void writeStruct(T &to, T result, const char *name) {
  checkStructSize(to.struct_size, name);
  size_t size = to.struct_size, known = std::min(size, sizeof(T));
  result.struct_size = size;
  auto *bytes = reinterpret_cast<unsigned char *>(&to);
  std::memcpy(bytes, &result, known);
  std::fill(bytes + known, bytes + size, 0);
}

/// Element `index` of an array whose elements all have the first one's size.
template <typename T>
T &getElement(T *array, size_t index, const char *name) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  checkStructSize(array->struct_size, name);
  T &element = *reinterpret_cast<T *>(reinterpret_cast<Byte *>(array) +
                                      index * array->struct_size);
  if (element.struct_size != array->struct_size)
    throw Error(ErrorKind::Argument, name, ": struct_size is ",
                element.struct_size, ", the first one's is ",
                array->struct_size);
  return element;
}

} // namespace llamart

#endif // LLAMA_RUNTIME_CINTERFACE_STRUCTS_H
