//===- Cores.h - How many cores this process may use ------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_MODEL_CORES_H
#define LLAMA_RUNTIME_MODEL_CORES_H

#include <cstdint>

namespace llamart {

/// Physical cores that this process may use: by its affinity mask and the CPU
/// quota of its control group.
int32_t getAvailableCores();

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_CORES_H
