//===- ProcessMemory.h - What this process has in memory --------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_MODEL_PROCESSMEMORY_H
#define LLAMA_RUNTIME_MODEL_PROCESSMEMORY_H

#include <cstdint>

namespace llamart {

struct ProcessMemory {
  uint64_t resident = 0; ///< bytes now, pages of mapped files included
  uint64_t peak = 0;     ///< bytes at most so far
};

/// 0 where the system does not say.
ProcessMemory getProcessMemory();

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_PROCESSMEMORY_H
