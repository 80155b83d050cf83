//===- ReadBandwidth.h - How fast this machine reads memory -----*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_READBANDWIDTH_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_READBANDWIDTH_H

#include "runtime/Engine/Threads.h"
#include "runtime/Model/Memory.h"

#include <cstdint>
#include <span>
#include <vector>

namespace llamart::tools {

struct ReadBandwidth {
  int streams = 0;           ///< that each thread reads at once
  double bytesPerSecond = 0; ///< of all threads together, the best pass
};

/// Reads a gigabyte with so many threads in passes, each of which tries several
/// numbers of streams: on many machines a single one leaves a core a third
/// below what it can do. Passes between other measurements meet the machine as
/// those do, whoever else uses it.
class ReadMeter {
public:
  explicit ReadMeter(int32_t threads);

  /// Bytes per second of the fastest number of streams, in this pass.
  double pass();
  std::span<const ReadBandwidth> getResults() const { return results; }

private:
  Pages pages;
  Team team;
  std::vector<uint64_t> sums; // of threads, so that no read is left out
  std::vector<ReadBandwidth> results;
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_READBANDWIDTH_H
