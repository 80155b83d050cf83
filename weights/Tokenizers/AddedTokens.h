//===- AddedTokens.h - Tokens that files next to tokenizer.model add -*- C++ -*-===//
//
// tokenizer.model's pieces  +  added_tokens of tokenizer.json, or
// added_tokens_decoder of tokenizer_config.json, or added_tokens.json
//   =>  all tokens
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_ADDEDTOKENS_H
#define LLAMA_WEIGHTS_TOKENIZERS_ADDEDTOKENS_H

#include "weights/Vocabulary.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llamaweights {

/// Adds to a sentencepiece vocabulary what the files of `folder` add; the first
/// of them that says anything counts, as in transformers. A token of
/// added_tokens.json is special if special_tokens_map.json or
/// tokenizer_config.json names it. An error if an id has two texts, or if ids
/// leave a gap.
llvm::Error readAddedTokens(llvm::StringRef folder, Vocabulary &vocabulary);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_ADDEDTOKENS_H
