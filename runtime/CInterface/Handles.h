//===- Handles.h - What the handles of llamart.h point to -------*- C++ -*-===//
//
// A handle owns a shared pointer, so handles may be closed in any order (I3).
// guarded() is the one place where exceptions become llamart_errors (I1).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_CINTERFACE_HANDLES_H
#define LLAMA_RUNTIME_CINTERFACE_HANDLES_H

#include "runtime/Engine/Session.h"
#include "runtime/Error.h"
#include "runtime/include/llamart/llamart.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <type_traits>

struct llamart_model {
  std::shared_ptr<const llamart::Model> model;
  std::string json; // ended by a zero byte
  llamart_model_info info;
};

struct llamart_engine {
  std::shared_ptr<llamart::Engine> engine;
};

struct llamart_session {
  std::shared_ptr<llamart::Session> session;
};

struct llamart_sampler {
  std::shared_ptr<const llamart::Sampler> sampler;
};

namespace llamart {

/// A new error, or the one for "out of memory" if that fails too.
llamart_error *makeError(ErrorKind kind, const char *message) noexcept;

template <typename Function>
llamart_error *guarded(Function function) noexcept {
  try {
    function();
    return nullptr;
  } catch (const Error &error) {
    return makeError(error.getKind(), error.what());
  } catch (const std::bad_alloc &) {
    return makeError(ErrorKind::Memory, "out of memory");
  } catch (const std::exception &error) {
    return makeError(ErrorKind::System, error.what());
  } catch (...) { // nothing here throws such
    return makeError(ErrorKind::Callback, "a callback threw");
  }
}

template <typename T>
T &require(T *pointer, const char *name) {
  if (!pointer)
    throw Error(ErrorKind::Argument, name, " is NULL");
  return *pointer;
}

/// Copies the part of a struct that the caller knows over our defaults. (I2)
template <typename T>
T readOptions(const T *given, const T &defaults, const char *name) {
  if (!given)
    return defaults;
  size_t size = given->struct_size;
  if (size < sizeof(size_t) || size > sizeof(T))
    throw Error(ErrorKind::Argument, name, ": struct_size is ", size,
                ", expected at most ", sizeof(T));
  T result = defaults;
  std::memcpy(&result, given, size);
  return result;
}

/// Element `index` of an array whose elements all have the first one's size.
template <typename T>
T *getElement(T *array, size_t index) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  return reinterpret_cast<T *>(reinterpret_cast<Byte *>(array) +
                               index * array->struct_size);
}

/// A copy for the caller to free with llamart_free. (I6)
template <typename T>
T *copyOut(const T *data, size_t count) {
  // One more element: a zero byte after a text, never malloc(0).
  void *memory = std::calloc(count + 1, sizeof(T));
  if (!memory)
    throw std::bad_alloc();
  if (count > 0)
    std::memcpy(memory, data, count * sizeof(T));
  return static_cast<T *>(memory);
}

} // namespace llamart

#endif // LLAMA_RUNTIME_CINTERFACE_HANDLES_H
