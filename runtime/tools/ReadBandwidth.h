//===- ReadBandwidth.h - How fast this machine reads memory -----*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_READBANDWIDTH_H
#define LLAMA_RUNTIME_TOOLS_READBANDWIDTH_H

#include <cstdint>
#include <vector>

struct ReadBandwidth {
  int streams = 0; ///< that each thread reads at once
  double bytesPerSecond = 0;
};

/// Bytes per second that so many threads read together, for several numbers of
/// streams: a single one leaves a core a third below what it can do. Each is
/// the best of `repetitions` passes over a gigabyte.
std::vector<ReadBandwidth> measureReadBandwidth(int32_t threads,
                                                int repetitions);

#endif // LLAMA_RUNTIME_TOOLS_READBANDWIDTH_H
