//===- IdsOnly.cpp - A runtime without the libraries that split text ------===//
//
// Takes the place of Splitter.cpp and UnicodeForms.cpp where PCRE2 and utf8proc
// are not at hand (LLAMA_IDS_ONLY): ids still become text, text does not become
// ids.
//
//===----------------------------------------------------------------------===//

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/Splitter.h"
#include "runtime/Text/Tokenizer/UnicodeForms.h"

namespace llamart {

[[noreturn]] static void refuseText() {
  throw Error(
      ErrorKind::System,
      "this runtime was built without PCRE2 and utf8proc; give token ids "
      "instead of text");
}

struct Splitter::Patterns {};

Splitter::Splitter(llamaabi::SplitRule rule) : rule(rule) {}

Splitter::~Splitter() = default;

void Splitter::split(std::string_view,
                     const std::function<void(std::string_view)> &) const {
  refuseText();
}

void requireTextLibraries() { refuseText(); }

bool startsWithWord(std::string_view) { refuseText(); }

bool endsWithWord(std::string_view) { refuseText(); }

// Called for texts of special tokens when a tokenizer is opened, so they do not
// refuse: nothing is looked for in a text.
std::string normalize(llamaabi::TextStepKind, std::string_view text) {
  return std::string(text);
}

std::string lowercase(std::string_view text) { return std::string(text); }

} // namespace llamart
