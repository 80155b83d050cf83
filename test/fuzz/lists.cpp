//===- lists.cpp - Fuzzes the lists of sums -------------------------------===//
//
// The first byte chooses checklist.chk or a manifest, the rest is its text.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/Integrity.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

LLAMA_FUZZ(text) {
  if (takeChoice(text) == 'c')
    check(parseChecklist(text, "checklist.chk"));
  else if (auto manifest = check(parseManifest(text, "manifest.json")))
    (void)printManifest(*manifest);
}
