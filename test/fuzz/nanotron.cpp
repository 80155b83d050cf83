//===- nanotron.cpp - Fuzzes the merging of nanotron's slices -------------===//
//
// Two bytes say how long the first of two *.safetensors files is.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/Nanotron.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

LLAMA_FUZZ(text) {
  size_t first = uint8_t(takeChoice(text));
  first |= size_t(uint8_t(takeChoice(text))) << 8;
  first = std::min(first, text.size());
  std::shared_ptr<InputFile> files[] = {
      InputFile::fromMemory("a", text.take_front(first)),
      InputFile::fromMemory("b", text.drop_front(first))};
  if (auto tensor = check(mergeNanotronFiles(files, "x")))
    readStored({*tensor});
}
