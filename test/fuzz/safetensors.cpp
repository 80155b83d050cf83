//===- safetensors.cpp - Fuzzes the reader of *.safetensors files ---------===//
//
// The bytes are a file; if it is one, it is bound to a small model.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Safetensors.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

LLAMA_FUZZ(text) {
  auto tensors =
      check(readSafetensors(InputFile::fromMemory("x.safetensors", text)));
  if (!tensors)
    return;
  ModelConfig config; // that of seeds.py
  config.hidden = 4;
  config.ffn = 6;
  config.vocab = 3;
  config.layers = 1;
  config.heads = 2;
  config.kvHeads = 1;
  config.headDim = 2;
  config.tiedEmbeddings = true;
  if (auto checkpoint = check(createFileCheckpoint(
          "x", std::move(*tensors), Naming::HuggingFace, config)))
    readRows(**checkpoint);
}
