//===- EmbedTokenizer.h - A vocabulary as the bytes of model.so -*- C++ -*-===//
//
// Vocabulary  =>  the blob of runtime/abi/TokenizerFormat.h, hash tables built,
// for the symbol llama_tokenizer.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_EMBEDTOKENIZER_H
#define LLAMA_COMPILER_OUTPUT_EMBEDTOKENIZER_H

#include "weights/Vocabulary.h"

#include "llvm/Support/Error.h"

#include <string>

namespace mlir::llama {

/// The blob; it must be placed at a multiple of llamaabi::kTokenizerAlignment.
/// An error if the vocabulary contradicts itself: an id out of range, a byte
/// without a token, a merge that does not join its halves. The error names no
/// file, as the vocabulary does not either.
llvm::Expected<std::string>
serializeTokenizer(const llamaweights::Vocabulary &vocabulary);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_EMBEDTOKENIZER_H
