//===- SentencePieceModel.h - tokenizer.model of Llama 2 --------*- C++ -*-===//
//
// A serialized sentencepiece ModelProto  <=>  Vocabulary.
//
// Reading walks the wire format and takes what it needs; the bytes themselves
// go into model.so for the runtime. Writing serves formats that
// list pieces and scores (GGUF, some tokenizer.json).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_SENTENCEPIECEMODEL_H
#define LLAMA_WEIGHTS_TOKENIZERS_SENTENCEPIECEMODEL_H

#include "weights/Vocabulary.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llamaweights {

/// One entry of the model, at the place of its id.
struct SentencePiece {
  std::string text;   ///< as the model spells it: U+2581 for a space, "<0x0A>"
  float score = 0.0f; ///< larger is merged first
  TokenType type = TokenType::Normal;
};

struct SentencePieceOptions {
  bool addSpacePrefix = true; ///< "Hi" is read as " Hi"
  bool removeExtraSpaces = false;
  std::string charsMap; ///< precompiled normalization rules, empty: none
};

/// Whether the bytes look like a ModelProto.
bool isSentencePieceModel(llvm::StringRef bytes);

/// Reads a whole file; `where` (the file) begins every error. The model
/// must be of type BPE (where two ways to cut a text are equally good, unigram
/// models depend on the version of the library); bos and eos are the control
/// pieces of the trainer's ids.
llvm::Expected<Vocabulary> readSentencePieceModel(llvm::StringRef bytes,
                                                  llvm::StringRef where);

/// The pieces of a model that readSentencePieceModel accepts, and what it says
/// about spaces.
llvm::Expected<std::vector<SentencePiece>>
readSentencePieces(llvm::StringRef bytes, llvm::StringRef where,
                   SentencePieceOptions &options);

/// Writes a BPE model and the Vocabulary around it: kind, sentencePieceModel,
/// tokens, types, addSpacePrefix. Bos, eos and the template are the caller's.
/// An error if two pieces are equal, one is empty or there is no unknown piece.
llvm::Expected<Vocabulary>
makeSentencePieceVocabulary(llvm::ArrayRef<SentencePiece> pieces,
                            const SentencePieceOptions &options,
                            llvm::StringRef where);

/// Adds tokens after those of a sentencepiece vocabulary, which stays as it was
/// if they are refused. They are texts as they are looked for, and to the
/// library control pieces, which it never makes of a text. `where` begins the
/// message.
llvm::Error appendSentencePieces(llvm::ArrayRef<SentencePiece> pieces,
                                 llvm::StringRef where, Vocabulary &vocabulary);

/// Has the library put no space in front of a text; what decoding does stays.
void leaveOutSpacePrefix(Vocabulary &vocabulary);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_SENTENCEPIECEMODEL_H
