//===- npy.cpp - Fuzzes the reader of *.npy files -------------------------===//
//
// The bytes are a file; if it is one, its elements are read.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Npy.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

LLAMA_FUZZ(text) {
  auto tensor = check(readNpy(InputFile::fromMemory("x.npy", text)));
  if (!tensor)
    return;
  std::vector<char> bytes(
      size_t(*getStoredBytes(tensor->dtype, tensor->shape)));
  check(tensor->file->read(tensor->offset, bytes));
}
