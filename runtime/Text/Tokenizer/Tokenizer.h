//===- Tokenizer.h - Text to token ids and back -----------------*- C++ -*-===//
//
// "Hello world"  =>  128000 9906 1917  =>  "Hello world"
//
// Opens the tokenizer of a model.so where it lies
// (runtime/abi/TokenizerFormat.h). A Tokenizer is immutable: any number of
// threads may use one at a time.
//
// Text that is not UTF-8. Byte-level BPE: every stretch of valid UTF-8 is split
// into pieces as if it stood alone, every run of other bytes is one piece; the
// bytes of the tokens joined are those of the text, for any text, except that a
// byte without a token (SmolLM2 has 21 of them) is left out. All others, and
// byte-level BPE with a normalizer: each invalid byte is read as U+FFFD.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZER_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZER_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llamart {

enum class AddToken : uint8_t {
  ByRule, ///< as the tokenizer says
  Always,
  Never,
};

struct EncodeOptions {
  /// ByRule does not add a second one to a text that itself begins with it.
  AddToken bos = AddToken::ByRule;
  /// A prompt that is to be continued has none, whatever the tokenizer says.
  AddToken eos = AddToken::Never;
  /// Whether the text of a control token ("<|eot_id|>") stands for that token.
  /// If not it is text like any other.
  bool allowSpecial = false;
};

/// A part of a prompt made by a chat template.
struct PromptPiece {
  std::string text;
  bool special = false; ///< the text of one control token
};

enum class SpecialText : uint8_t { Hide, Show };

class Tokenizer {
public:
  ~Tokenizer();

  /// Opens `size` bytes at `blob`, which must stay where they are. Throws Error
  /// (Model), without a place, if they are not a tokenizer of this version.
  static std::unique_ptr<Tokenizer> open(const void *blob, size_t size);

  /// Token ids of a text. Takes time and memory proportional to it.
  std::vector<int32_t> encode(std::string_view text,
                              const EncodeOptions &options = {}) const;

  /// Ids of a chat prompt: special pieces become their token, the others are
  /// text even where they look like a special token. Adds neither bos nor eos.
  std::vector<int32_t> encode(std::span<const PromptPiece> pieces) const;

  /// The text of ids, invalid UTF-8 replaced as StreamDecoder says. Where the
  /// tokenizer puts a space before a text, that of the first token is dropped.
  std::string decode(std::span<const int32_t> ids,
                     SpecialText special = SpecialText::Hide) const;

  /// Bytes of a token; the text of a control token; empty for an unknown id.
  /// Lies in the blob.
  std::string_view tokenBytes(int32_t id) const;

  /// The id of the token with these bytes, special ones first.
  std::optional<int32_t> findToken(std::string_view bytes) const;

  /// Where a special token stands in a text.
  struct SpecialPlace {
    size_t begin = 0, size = 0;
  };
  /// The first one at or after `from`, control tokens included.
  std::optional<SpecialPlace> findSpecial(std::string_view text,
                                          size_t from) const;

  /// Whether the id is a control token: one that decoding hides.
  bool isControl(int32_t id) const;

  int32_t getVocabSize() const;
  std::optional<int32_t> getBos() const;
  bool addsBos() const;

  /// Every id that ends a reply; the first is the one a template writes.
  std::vector<int32_t> getEos() const;
  bool isEos(int32_t id) const;

  /// Jinja source, empty if the checkpoint had none. Lies in the blob.
  std::string_view getChatTemplate() const;

private:
  friend class StreamDecoder;
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

/// Where the ids given to a StreamDecoder stand.
enum class StreamStart : uint8_t {
  OfText,    ///< the first id begins the text: its leading space is dropped
  AfterText, ///< the ids continue a text, as a reply does a prompt
};

/// Turns ids into text one at a time. What comes out is always valid UTF-8:
/// bytes that may still become a character are held back, bytes that cannot are
/// replaced by U+FFFD, one for each longest beginning of a character
/// (byte-level BPE; as the Unicode standard recommends) or one for each byte
/// (sentencepiece; as its library does). All outputs joined are what
/// Tokenizer::decode returns. The tokenizer must outlive it.
class StreamDecoder {
public:
  explicit StreamDecoder(const Tokenizer &tokenizer,
                         StreamStart start = StreamStart::OfText,
                         SpecialText special = SpecialText::Hide);

  /// The text that this id completes; often empty.
  std::string push(int32_t id);

  /// The end: what was held back, as U+FFFD.
  std::string finish();

private:
  const Tokenizer::Impl *impl;
  SpecialText special;
  bool atStart;
  std::string held; ///< at most 3 bytes
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_TOKENIZER_H
