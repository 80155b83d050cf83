//===- layers.cpp - Fuzzes the reader of pickled arrays -------------------===//
//
// The bytes are a layer_N.pkl or a model.pkl.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/LayerPickle.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto tensors = check(
      readArrayPickle(InputFile::fromMemory("x.pkl", asText(data, size))));
  if (tensors)
    readStored(*tensors);
  return 0;
}
