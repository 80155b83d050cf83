//===- UnigramEncoder.h - The best cut of a text into tokens ----*- C++ -*-===//
//
// " tests"  =>  " test" "s", if no other cut has a larger sum of scores.
//
// What `tokenizers` computes, in f64 and with its order of comparisons: of two
// equal sums the one found first stays. A character that no token begins with
// counts as unknown, 10 below the lowest score.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_UNIGRAMENCODER_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_UNIGRAMENCODER_H

#include "runtime/Text/Tokenizer/TokenizerBlob.h"

#include <vector>

namespace llamart {

class UnigramEncoder {
public:
  explicit UnigramEncoder(const TokenizerBlob &blob);

  /// Appends the tokens of a piece, which must be UTF-8.
  void encode(std::string_view piece, std::vector<int32_t> &ids) const;

private:
  /// The best cut of everything before a byte of the piece.
  struct Node {
    double score = 0.0;
    uint32_t length = 0; ///< of its last token; 0: no cut yet
    uint32_t id = llamaabi::kNoToken;
  };

  void extend(std::string_view piece, size_t at, std::vector<Node> &ends) const;
  void appendUnknown(std::string_view text, std::vector<int32_t> &ids) const;

  const TokenizerBlob &blob;
  double unknownScore = 0.0;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_UNIGRAMENCODER_H
