//===- gguf.cpp - Fuzzes the reader of *.gguf files -----------------------===//
//
// The bytes are a file; if it is one, its hyper-parameters, tensors and
// vocabulary are read.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/FuzzInput.h"
#include "weights/Configs/GgufConfig.h"
#include "weights/Tokenizers/GgufVocabulary.h"

using namespace llamafuzz;
using namespace llamaweights;

LLAMA_FUZZ(text) {
  auto file = check(readGguf(InputFile::fromMemory("x.gguf", text)));
  if (!file)
    return;
  if (auto vocabulary = check(readGgufVocabulary(*file));
      vocabulary && *vocabulary)
    checkIds(**vocabulary);
  auto config = check(readGgufConfig(*file));
  if (!config)
    return;
  (void)config->getRopeFrequencies();
  if (auto checkpoint = check(createFileCheckpoint(
          "x.gguf", std::move(file->tensors), Naming::Gguf, *config)))
    readRows(**checkpoint);
}
