//===- SpaceSymbol.h - The character that stands for a space ----*- C++ -*-===//
//
// Pieces of sentencepiece are spelt with U+2581 for a space: "\u2581the".
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_SPACESYMBOL_H
#define LLAMA_WEIGHTS_TOKENIZERS_SPACESYMBOL_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace llamaweights {

inline constexpr llvm::StringLiteral kSpaceSymbol = "\xE2\x96\x81";

inline std::string replaceAll(llvm::StringRef text, llvm::StringRef from,
                              llvm::StringRef to) {
  std::string result;
  while (!text.empty()) {
    if (text.consume_front(from)) {
      result += to;
      continue;
    }
    result += text.front();
    text = text.drop_front();
  }
  return result;
}

/// A text with spaces in place of U+2581.
inline std::string withSpaces(llvm::StringRef text) {
  return replaceAll(text, kSpaceSymbol, " ");
}

/// The reverse.
inline std::string withSpaceSymbols(llvm::StringRef text) {
  return replaceAll(text, " ", kSpaceSymbol);
}

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_SPACESYMBOL_H
