//===- nanotron.cpp - Fuzzes the merging of nanotron's slices -------------===//
//
// Two bytes say how long the first of two *.safetensors files is.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/Nanotron.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  size_t first = std::min<size_t>(data[0] | data[1] << 8, size - 2);
  llvm::StringRef text = asText(data + 2, size - 2);
  std::shared_ptr<InputFile> files[] = {
      InputFile::fromMemory("a", text.take_front(first)),
      InputFile::fromMemory("b", text.drop_front(first))};
  if (auto tensor = check(mergeNanotronFiles(files, "x")))
    readStored({*tensor});
  return 0;
}
