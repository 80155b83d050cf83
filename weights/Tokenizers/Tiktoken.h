//===- Tiktoken.h - tokenizer.model of Llama 3 ------------------*- C++ -*-===//
//
// "IQ== 0\nIg== 1\n..."  =>  Vocabulary: the ranked byte strings, every way to
// make one of them from two others as a merge, Llama 3's 256 special tokens.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_TIKTOKEN_H
#define LLAMA_WEIGHTS_TOKENIZERS_TIKTOKEN_H

#include "weights/Vocabulary.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llamaweights {

/// Whether the first line looks like base64, a space, a number.
bool isTiktoken(llvm::StringRef bytes);

/// Reads the text of a whole file; `where` (the file) begins every error.
llvm::Expected<Vocabulary> readTiktoken(llvm::StringRef bytes,
                                        llvm::StringRef where);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_TIKTOKEN_H
