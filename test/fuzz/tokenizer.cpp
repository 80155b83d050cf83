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

LLAMA_FUZZ(text) {
  switch (takeChoice(text)) {
  case 'j':
    check(readTokenizerJson(text, "tokenizer.json"));
    break;
  case 's':
    check(readSentencePieceModel(text, "tokenizer.model"));
    break;
  case 't':
    check(readTiktoken(text, "tokenizer.model"));
    break;
  }
}
