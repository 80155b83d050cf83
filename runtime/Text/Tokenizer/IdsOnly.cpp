//===- IdsOnly.cpp - A runtime without the libraries that split text ------===//
//
// Takes the place of Splitter.cpp and SentencePiece.cpp where neither PCRE2 nor
// sentencepiece is at hand (LLAMA_IDS_ONLY): ids still become text, text does
// not become ids.
//
//===----------------------------------------------------------------------===//

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/SentencePiece.h"
#include "runtime/Text/Tokenizer/Splitter.h"

namespace llamart {

[[noreturn]] static void refuseText() {
  throw Error(ErrorKind::System,
              "this runtime was built without PCRE2 and sentencepiece; give "
              "token ids instead of text");
}

Splitter::~Splitter() = default;

void Splitter::split(std::string_view,
                     const std::function<void(std::string_view)> &) const {
  refuseText();
}

struct SentencePiece::Library {};

SentencePiece::SentencePiece(std::string_view, uint32_t) {}

SentencePiece::~SentencePiece() = default;

void SentencePiece::encode(std::string_view, std::vector<int32_t> &) const {
  refuseText();
}

} // namespace llamart
