//===- SpacePrefix.h - Where texts for tokenizer.model get a space -*- C++ -*-===//
//
// "legacy" and "add_prefix_space" of tokenizer_config.json  =>  a space in front
// of every stretch of text between added tokens (the library's own way), of the
// first one alone, or of none
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_SPACEPREFIX_H
#define LLAMA_WEIGHTS_TOKENIZERS_SPACEPREFIX_H

#include "weights/Vocabulary.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llamaweights {

/// Changes a sentencepiece vocabulary, read from tokenizer.model, as
/// tokenizer_config.json of `folder` wants it. "legacy" false is the Metaspace
/// `first` of `tokenizers`, "add_prefix_space" false its `never`: what the fast
/// tokenizer of transformers does, and then "normalized" of added tokens counts.
/// Left out, both are true. An error if a value is not a boolean, or if the model
/// treats spaces in a way of its own.
llvm::Error applySpacePrefix(llvm::StringRef folder, Vocabulary &vocabulary);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_SPACEPREFIX_H
