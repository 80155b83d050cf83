//===- Check.h - Whether a chat template can be parsed ----------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_CHECK_H
#define LLAMA_RUNTIME_TEXT_JINJA_CHECK_H

#include <string>
#include <string_view>

namespace llamart::jinja {

/// "chat template: line L, column C: ..." if it cannot; empty if it can. For
/// those who are built without exceptions.
std::string findProblem(std::string_view source);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_CHECK_H
