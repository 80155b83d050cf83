//===- compiled.cpp - Fuzzes the reader of compiled models ----------------===//
//
// The bytes are a model.so, in a file without a name.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/CompiledModel.h"

#include "test/fuzz/FuzzInput.h"

#include <string>
#include <sys/mman.h>
#include <unistd.h>

using namespace llamafuzz;
using namespace llamaweights;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int descriptor = memfd_create("model", 0);
  if (descriptor < 0 || write(descriptor, data, size) != ssize_t(size))
    std::abort();
  if (auto model = check(
          openCompiledModel("/proc/self/fd/" + std::to_string(descriptor))))
    readRows(*model->checkpoint);
  close(descriptor);
  return 0;
}
