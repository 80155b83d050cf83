//===- layers.cpp - Fuzzes the reader of pickled arrays -------------------===//
//
// The bytes are a layer_N.pkl or a model.pkl.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/LayerPickle.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

LLAMA_FUZZ(text) {
  auto tensors = check(readArrayPickle(InputFile::fromMemory("x.pkl", text)));
  if (tensors)
    readStored(*tensors);
}
