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

LLAMA_FUZZ(text) {
  int descriptor = memfd_create("model", 0);
  if (descriptor < 0 ||
      write(descriptor, text.data(), text.size()) != ssize_t(text.size()))
    std::abort();
  if (auto model = check(
          openCompiledModel("/proc/self/fd/" + std::to_string(descriptor))))
    readRows(*model->checkpoint);
  close(descriptor);
}
