//===- tokenizer.cpp - Fuzzes the readers of tokenizers -------------------===//
//
// The first byte chooses the file, the rest is what it holds.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/SentencePieceModel.h"
#include "weights/Tokenizers/Tiktoken.h"
#include "weights/Tokenizers/TokenizerJson.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

static std::optional<Vocabulary> read(char choice, llvm::StringRef text) {
  switch (choice) {
  case 'j':
    return check(readTokenizerJson(text, "tokenizer.json"));
  case 's':
    return check(readSentencePieceModel(text, "tokenizer.model"));
  case 't':
    return check(readTiktoken(text, "tokenizer.model"));
  default:
    return std::nullopt;
  }
}

LLAMA_FUZZ(text) {
  char choice = takeChoice(text);
  if (auto vocabulary = read(choice, text))
    checkIds(*vocabulary);
}
