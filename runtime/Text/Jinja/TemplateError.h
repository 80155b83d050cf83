//===- TemplateError.h - What a chat template cannot do ---------*- C++ -*-===//
//
// "chat template: line 3, column 7: expected ..., found ..."
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_TEMPLATEERROR_H
#define LLAMA_RUNTIME_TEXT_JINJA_TEMPLATEERROR_H

#include "runtime/Error.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace llamart::jinja {

/// An error of a template, in one line; the source, the words and, where there
/// is one, the place. getRaised() has the words of raise_exception as they are.
class TemplateError : public Error {
public:
  explicit TemplateError(const std::string &message)
      : Error(ErrorKind::Argument, "chat template: ", message) {}

  /// What raise_exception does.
  static TemplateError raise(const std::string &words);

  bool wasRaised() const { return raised; }
  const std::string &getRaised() const { return words; }

private:
  bool raised = false;
  std::string words;
};

/// An error before its place is known. The parser and the interpreter turn it
/// into a TemplateError.
class Failure : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

template <typename... Parts>
[[noreturn]] void fail(const Parts &...parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Failure(text.str());
}

/// The error with the line and the column (both from 1, in characters) of the
/// byte at `offset`.
TemplateError locate(std::string_view source, size_t offset,
                     const std::string &message);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_TEMPLATEERROR_H
