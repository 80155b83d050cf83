//===- TokenizerJson.h - tokenizer.json -------------------------*- C++ -*-===//
//
// The byte-level BPE of Llama 3, SmolLM2 and GPT-2, and the BPE with byte
// fallback of Llama 2  =>  Vocabulary. Any other combination of normalizer,
// pre-tokenizer and model is refused: a tokenizer that is nearly right is
// wrong.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_TOKENIZERJSON_H
#define LLAMA_WEIGHTS_TOKENIZERS_TOKENIZERJSON_H

#include "weights/Vocabulary.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llamaweights {

/// Reads the text of a whole file; `where` (the file) begins every error. Bos
/// is what the post-processor puts in front; eos is left to the files next to
/// it.
llvm::Expected<Vocabulary> readTokenizerJson(llvm::StringRef text,
                                             llvm::StringRef where);

/// The pattern that cuts texts for Llama 3.
llvm::StringRef getLlama3Pattern();

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_TOKENIZERJSON_H
