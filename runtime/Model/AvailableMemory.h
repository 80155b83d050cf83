//===- AvailableMemory.h - What may be used without harm --------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_MODEL_AVAILABLEMEMORY_H
#define LLAMA_RUNTIME_MODEL_AVAILABLEMEMORY_H

#include <cstdint>
#include <string>

namespace llamart {

/// Bytes that this process can get without swapping and without being ended for
/// it: what the system has available, or what is left of the limit of a control
/// group, if that is less. Pages of files count as free, for they can be read
/// again. 0 if the system does not say. `root` precedes the paths of /proc and
/// of mounts: "" but in tests.
uint64_t getAvailableMemory(const std::string &root = "");

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_AVAILABLEMEMORY_H
