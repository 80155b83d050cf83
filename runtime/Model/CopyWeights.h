//===- CopyWeights.h - Many bytes, by all cores -----------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_MODEL_COPYWEIGHTS_H
#define LLAMA_RUNTIME_MODEL_COPYWEIGHTS_H

#include <cstdint>
#include <functional>

namespace llamart {

/// Told what part is done, from 0 to 1; false gives up.
using Progress = std::function<bool(double done)>;

/// Copies `bytes` bytes. `progress`, if there is one, is called by this thread
/// alone: after each piece that it has copied itself, and with 1 at the end.
/// False if it gave up. What it throws ends the copy, too, and comes out.
bool copyWeights(const char *from, char *to, uint64_t bytes,
                 const Progress &progress);

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_COPYWEIGHTS_H
