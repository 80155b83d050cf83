//===- Splitter.h - Text to the pieces that merges stay within --*- C++ -*-===//
//
// "Hello world 123"  =>  "Hello", " world", " ", "123" (SplitRule::Llama3)
//
// Character classes are those of Unicode 16 whatever the version of PCRE2 is
// (older ones miss letters, and count U+180E as white space), unless PCRE2 is
// newer and knows more letters. Takes time proportional to the text.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_SPLITTER_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_SPLITTER_H

#include "runtime/abi/TokenizerFormat.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

namespace llamart {

class Splitter {
public:
  explicit Splitter(llamaabi::SplitRule rule);
  ~Splitter();
  Splitter(const Splitter &) = delete;
  Splitter &operator=(const Splitter &) = delete;

  /// Calls `take` with every piece in order; joined, they are the text. A run
  /// of bytes that are not UTF-8 is one piece. Any number of threads may call
  /// it.
  void split(std::string_view text,
             const std::function<void(std::string_view)> &take) const;

private:
  struct Patterns;
  void compileAll() const;

  llamaabi::SplitRule rule;
  mutable std::once_flag compiled; ///< at the first use: it takes a millisecond
  mutable std::unique_ptr<Patterns> compiledPatterns;
};

/// Whether a text begins or ends with a word character, as Rust's \w has it.
bool startsWithWord(std::string_view text);
bool endsWithWord(std::string_view text);

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_SPLITTER_H
