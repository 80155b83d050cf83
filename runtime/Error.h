//===- Error.h - What the runtime throws ------------------------*- C++ -*-===//
//
// throw Error(ErrorKind::Model, path, ": expected ", a, ", found ", b)
//
// One line of text, "where: what", in lower case. The C interface turns it into
// a llamart_error; nothing else leaves the library.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ERROR_H
#define LLAMA_RUNTIME_ERROR_H

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace llamart {

/// The same numbers as LLAMART_ERROR_* in llamart.h.
enum class ErrorKind : int {
  Argument = 1,    ///< the call is wrong: a null handle, an id out of range
  Model = 2,       ///< the model file cannot be used here
  Context = 3,     ///< a sequence would grow beyond the model's context
  Memory = 4,      ///< the machine's memory is used up
  System = 5,      ///< the operating system or an executor refused
  Cache = 6,       ///< the cache's budget is used up
  Cancelled = 7,   ///< a cancel flag was set, a callback gave up
  Unsupported = 8, ///< this library or model cannot do that
  Callback = 9,    ///< a callback threw or failed
  State = 10,      ///< a saved state is damaged or of another model
};

class Error : public std::runtime_error {
public:
  /// The message is the concatenation of `parts`, each written with <<.
  template <typename... Parts>
  explicit Error(ErrorKind kind, const Parts &...parts)
      : std::runtime_error(join(parts...)), kind(kind) {}

  ErrorKind getKind() const { return kind; }

  /// Which element of the array that was given is meant; -1: none.
  int64_t getItem() const { return item; }
  Error &&at(int64_t newItem) && {
    item = newItem;
    return std::move(*this);
  }

private:
  template <typename... Parts>
  static std::string join(const Parts &...parts) {
    std::ostringstream text;
    (text << ... << parts);
    return text.str();
  }

  ErrorKind kind;
  int64_t item = -1;
};

/// What `call` throws is about element `item`, if it does not say so itself.
template <typename Call>
auto forItem(int64_t item, Call call) {
  try {
    return call();
  } catch (Error &error) {
    if (error.getItem() >= 0)
      throw;
    throw std::move(error).at(item);
  }
}

/// What `call`, which calls the application back, returns.
template <typename Call>
auto callBack(const char *name, Call call) {
  try {
    return call();
  } catch (const std::exception &error) {
    throw Error(ErrorKind::Callback, name, " threw: ", error.what());
  } catch (...) {
    throw Error(ErrorKind::Callback, name, " threw");
  }
}

} // namespace llamart

#endif // LLAMA_RUNTIME_ERROR_H
