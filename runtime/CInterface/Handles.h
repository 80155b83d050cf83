//===- Handles.h - What the handles of llamart.h point to -------*- C++ -*-===//
//
// A handle owns a shared pointer, so handles may be closed in any order (I3).
// guarded() is the one place where exceptions become llamart_errors (I1).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_CINTERFACE_HANDLES_H
#define LLAMA_RUNTIME_CINTERFACE_HANDLES_H

#include "runtime/CInterface/Structs.h"
#include "runtime/Engine/Session.h"
#include "runtime/Error.h"
#include "runtime/include/llamart/llamart.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>

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

struct llamart_cancel {
  std::shared_ptr<llamart::CancelFlag> flag;
};

namespace llamart {

/// A new error, or the one for "out of memory" if that fails too. `item`: of an
/// array, -1 for none.
llamart_error *makeError(ErrorKind kind, const char *message,
                         int64_t item = -1) noexcept;

template <typename Function>
llamart_error *guarded(Function function) noexcept {
  try {
    function();
    return nullptr;
  } catch (const Error &error) {
    return makeError(error.getKind(), error.what(), error.getItem());
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

/// A session that no job has. Throws Error(Argument).
inline Session &requireFree(llamart_session *session,
                            const char *name = "session") {
  Session &result = *require(session, name).session;
  if (result.isInUse())
    throw Error(ErrorKind::Argument, name, ": a job has it");
  return result;
}

inline SessionOptions readSessionOptions(const llamart_session_options *from) {
  auto given = readOptions<llamart_session_options>(
      from, LLAMART_SESSION_OPTIONS, "llamart_session_options");
  if (given.salt_bytes > 0)
    require(static_cast<const char *>(given.salt),
            "llamart_session_options: salt");
  return {given.number,
          std::string(static_cast<const char *>(given.salt), given.salt_bytes)};
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
