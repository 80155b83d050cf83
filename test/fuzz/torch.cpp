//===- torch.cpp - Fuzzes the reader of what torch.save writes ------------===//
//
// The bytes are a file: a zip file, or a legacy one. Whatever tensors it has
// are read.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/TorchPickle.h"
#include "weights/Formats/MetaQuantized.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

LLAMA_FUZZ(text) {
  auto tensors = check(readTorchPickle(InputFile::fromMemory("x.pth", text)));
  if (!tensors)
    return;
  readStored(*tensors);
  MetaQuantization quantization = {1, true, 1, 2.0};
  auto computed = check(dequantizeMeta(std::move(*tensors), quantization));
  if (computed)
    readStored(*computed);
}
