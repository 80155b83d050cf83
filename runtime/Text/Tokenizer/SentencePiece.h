//===- SentencePiece.h - Text to ids by the sentencepiece library -*- C++ -*-=//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECE_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECE_H

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace llamart {

class SentencePiece {
public:
  /// Opens a serialized ModelProto, which must have `pieces` pieces. Throws
  /// Error(Model) if it has not.
  SentencePiece(std::string_view model, uint32_t pieces);
  ~SentencePiece();

  /// Appends the ids of a text.
  void encode(std::string_view text, std::vector<int32_t> &ids) const;

private:
  struct Library;
  std::unique_ptr<Library> library;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_SENTENCEPIECE_H
