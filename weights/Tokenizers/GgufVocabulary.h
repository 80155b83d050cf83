//===- GgufVocabulary.h - The tokenizer inside a *.gguf file ----*- C++ -*-===//
//
// tokenizer.ggml.tokens, .merges, .scores ...  =>  Vocabulary
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_GGUFVOCABULARY_H
#define LLAMA_WEIGHTS_TOKENIZERS_GGUFVOCABULARY_H

#include "weights/Containers/Gguf.h"
#include "weights/Vocabulary.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace llamaweights {

/// A token that chat templates see by a name of transformers, and the key that
/// holds its id: "pad_token", "tokenizer.ggml.padding_token_id".
struct GgufNamedToken {
  llvm::StringLiteral name, key;
};
llvm::ArrayRef<GgufNamedToken> getGgufNamedTokens();

/// The key of every chat template but the default one begins so; its name
/// follows.
inline constexpr llvm::StringLiteral kGgufTemplatePrefix =
    "tokenizer.chat_template.";
/// The key that lists those names.
inline constexpr llvm::StringLiteral kGgufTemplateNames =
    "tokenizer.chat_templates";

/// The tokenizer; none if the file has none. Kinds "gpt2" (byte-level BPE) and
/// "llama" (sentencepiece).
llvm::Expected<std::optional<Vocabulary>>
readGgufVocabulary(const GgufFile &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_GGUFVOCABULARY_H
