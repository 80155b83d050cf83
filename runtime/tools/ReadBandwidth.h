//===- ReadBandwidth.h - How fast this machine reads memory -----*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_READBANDWIDTH_H
#define LLAMA_RUNTIME_TOOLS_READBANDWIDTH_H

#include <cstdint>

/// Bytes per second that so many threads read together, the best of
/// `repetitions` passes over a gigabyte. Every thread reads eight streams at
/// once: a single one leaves a core a third below what it can do.
double measureReadBandwidth(int32_t threads, int repetitions);

#endif // LLAMA_RUNTIME_TOOLS_READBANDWIDTH_H
