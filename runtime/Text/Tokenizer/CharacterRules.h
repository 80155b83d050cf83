//===- CharacterRules.h - Rewriting rules of sentencepiece ------*- C++ -*-===//
//
// "\xEF\xBC\xA1" (a wide A)  =>  "A", by the longest rule that fits
//
// The rules are a size, a double-array trie of that many bytes and a pool of
// zero-terminated texts. The trie goes from unit p by a byte to the unit
// p ^ offset(p) ^ byte; the value of a leaf is a place in the pool. A rule that
// leads out of the trie or the pool is none.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_CHARACTERRULES_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_CHARACTERRULES_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace llamart {

class CharacterRules {
public:
  struct Match {
    size_t length; ///< bytes of the text that the rule takes
    std::string_view replacement;
  };

  /// Throws Error (Model) if sizes are wrong. No bytes: no rules.
  explicit CharacterRules(std::string_view bytes);

  /// The longest rule for the front of a text.
  std::optional<Match> find(std::string_view text) const;

private:
  std::optional<uint32_t> getUnit(size_t at) const;
  std::optional<std::string_view> getReplacement(uint32_t at) const;

  std::string_view trie, pool;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_CHARACTERRULES_H
