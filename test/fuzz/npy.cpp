//===- npy.cpp - Fuzzes the reader of *.npy files -------------------------===//
//
// The bytes are a file; if it is one, its elements are read.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Npy.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto tensor =
      check(readNpy(InputFile::fromMemory("x.npy", asText(data, size))));
  if (!tensor)
    return 0;
  std::vector<char> bytes(
      size_t(*getStoredBytes(tensor->dtype, tensor->shape)));
  check(tensor->file->read(tensor->offset, bytes));
  return 0;
}
