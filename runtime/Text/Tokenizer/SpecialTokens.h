//===- SpecialTokens.h - Finding special tokens in a text -------*- C++ -*-===//
//
// "Hi<|eot_id|>"  =>  "Hi", <|eot_id|>
//
// The leftmost occurrence, and of those that begin there the longest; with
// kLongestFirst the longest token in the whole text, then the next. Tokens with
// kNormalized are looked for after the normalizer has run, by their text after
// it. The order is that of the library `tokenizers`: what a control token
// matches where it is not allowed stays text, and nothing else is looked for in
// it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_SPECIALTOKENS_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_SPECIALTOKENS_H

#include "runtime/Text/Tokenizer/TextSteps.h"
#include "runtime/Text/Tokenizer/TokenizerBlob.h"

#include <bitset>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace llamart {

/// A part of a text: a special token, or what lies between two.
struct TextPart {
  std::string_view text;            ///< lies in the text that was cut
  uint32_t id = llamaabi::kNoToken; ///< kNoToken: text
};

class SpecialTokens {
public:
  SpecialTokens(const TokenizerBlob &blob, const TextSteps &steps);

  /// Which tokens are looked for.
  enum class Pass : uint8_t { Raw, Normalized };

  /// Calls `take` with every part of a text in order. Without `allowControl`
  /// control tokens are text.
  void cut(std::string_view text, Pass pass, bool allowControl,
           const std::function<void(TextPart)> &take) const;

  bool has(Pass pass) const { return !getList(pass).entries.empty(); }

  /// What decoding writes for a token: of a normalized one its text after the
  /// normalizer, as `tokenizers` does, else the token's bytes.
  std::string_view getDecoded(uint32_t id) const;

  /// The special token with exactly these bytes, or kNoToken.
  uint32_t lookup(std::string_view bytes) const;

  /// The leftmost special token in `text`, of those that begin there the
  /// longest, as its text; empty if there is none.
  std::string_view find(std::string_view text) const;

private:
  struct Entry {
    std::string_view text;
    uint32_t id;
    uint32_t flags; ///< SpecialFlags
  };
  struct List {
    std::vector<Entry> entries; ///< sorted by text
    std::bitset<256> firstBytes;

    void finish();
    const Entry *matchAt(std::string_view text, size_t at) const;
  };

  const List &getList(Pass pass) const {
    return pass == Pass::Raw ? raw : normalized;
  }
  bool isAllowed(const Entry &entry, bool allowControl) const;
  void cutByLength(std::string_view text, const List &list, bool allowControl,
                   const std::function<void(TextPart)> &take) const;

  const TokenizerBlob &blob;
  std::deque<std::string> texts; ///< of normalized tokens
  List raw, normalized, all;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_SPECIALTOKENS_H
