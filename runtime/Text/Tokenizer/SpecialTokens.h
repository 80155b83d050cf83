//===- SpecialTokens.h - Finding special tokens in a text -------*- C++ -*-===//
//
// "Hi<|eot_id|>"  =>  at 2: <|eot_id|>
//
// The leftmost occurrence, and of those that begin there the longest.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_SPECIALTOKENS_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_SPECIALTOKENS_H

#include "runtime/Text/Tokenizer/TokenizerBlob.h"

#include <bitset>
#include <optional>

namespace llamart {

struct SpecialMatch {
  size_t begin = 0, length = 0;
  uint32_t id = llamaabi::kNoToken;
};

class SpecialTokens {
public:
  explicit SpecialTokens(const TokenizerBlob &blob);

  /// The first special token at or after `from`. Without `allowControl` only
  /// user-defined ones count.
  std::optional<SpecialMatch> find(std::string_view text, size_t from,
                                   bool allowControl) const;

  /// The special token with exactly these bytes, or kNoToken.
  uint32_t lookup(std::string_view bytes) const;

private:
  std::optional<SpecialMatch> matchAt(std::string_view text, size_t at,
                                      bool allowControl) const;

  const TokenizerBlob &blob;
  std::bitset<256> firstBytes;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_SPECIALTOKENS_H
