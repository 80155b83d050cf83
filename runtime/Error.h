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

#include <sstream>
#include <stdexcept>
#include <string>

namespace llamart {

/// The same numbers as LLAMART_ERROR_* in llamart.h.
enum class ErrorKind : int {
  Argument = 1, ///< the call is wrong: a null handle, an id out of range
  Model = 2,    ///< the model file cannot be used here
  Context = 3,  ///< a sequence would grow beyond the model's context
  Memory = 4,   ///< the cache's budget or the machine's memory is used up
  System = 5,   ///< the operating system or an executor refused
  Callback = 6, ///< a callback threw
};

class Error : public std::runtime_error {
public:
  /// The message is the concatenation of `parts`, each written with <<.
  template <typename... Parts>
  explicit Error(ErrorKind kind, const Parts &...parts)
      : std::runtime_error(join(parts...)), kind(kind) {}

  ErrorKind getKind() const { return kind; }

private:
  template <typename... Parts>
  static std::string join(const Parts &...parts) {
    std::ostringstream text;
    (text << ... << parts);
    return text.str();
  }

  ErrorKind kind;
};

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
