//===- lists.cpp - Fuzzes the lists of sums -------------------------------===//
//
// The first byte chooses checklist.chk or a manifest, the rest is its text.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/Integrity.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  llvm::StringRef text = asText(data + 1, size - 1);
  if (data[0] == 'c')
    check(parseChecklist(text, "checklist.chk"));
  else if (auto manifest = check(parseManifest(text, "manifest.json")))
    (void)printManifest(*manifest);
  return 0;
}
