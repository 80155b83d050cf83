//===- TokenizerFolder.h - The tokenizer of a checkpoint folder -*- C++ -*-===//
//
// tokenizer.json | tokenizer.model, and what stands next to it
// (tokenizer_config, special_tokens_map, generation_config .json,
// chat_template.jinja)
//   =>  Vocabulary
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_TOKENIZERFOLDER_H
#define LLAMA_WEIGHTS_TOKENIZERS_TOKENIZERFOLDER_H

#include "weights/Vocabulary.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>

namespace llamaweights {

/// None if the folder holds neither tokenizer.json nor tokenizer.model.
llvm::Expected<std::optional<Vocabulary>>
readTokenizerFolder(llvm::StringRef folder);

/// Reads one tokenizer file, told apart by its content: tokenizer.json, a
/// sentencepiece model, a tiktoken text. Looks at no other file; bos and
/// what ends a reply are then known by the names of Llama 3's and ChatML's
/// tokens.
llvm::Expected<Vocabulary> readTokenizerFile(llvm::StringRef path);

/// The id of a token by its text, special ones first.
std::optional<int64_t> findToken(llvm::StringRef text,
                                 const Vocabulary &vocabulary);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_TOKENIZERFOLDER_H
