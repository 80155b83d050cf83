//===- Messages.h - What a reader has to say --------------------*- C++ -*-===//
//
// The message of an error, for comparison.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_WEIGHTS_MESSAGES_H
#define LLAMA_TEST_WEIGHTS_MESSAGES_H

#include "llvm/Support/Error.h"

#include <gtest/gtest.h>
#include <string>

namespace llamatest {

/// The message of an error, or of what went wrong instead of a value; empty if
/// nothing did.
inline std::string getMessage(llvm::Error error) {
  return llvm::toString(std::move(error));
}
template <typename T>
std::string getMessage(llvm::Expected<T> value) {
  return value ? std::string() : llvm::toString(value.takeError());
}

/// The one line after "FILE: "; empty if there is no error.
template <typename T>
std::string getMessageAbout(llvm::StringRef file, llvm::Expected<T> value) {
  std::string message = getMessage(std::move(value));
  llvm::StringRef rest = message;
  EXPECT_TRUE(rest.empty() ||
              (rest.consume_front(file) && rest.consume_front(": ")))
      << message;
  EXPECT_FALSE(rest.contains('\n')) << message;
  return rest.str();
}

} // namespace llamatest

#endif // LLAMA_TEST_WEIGHTS_MESSAGES_H
