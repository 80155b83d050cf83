//===- ComputePeak.h - How fast this machine multiplies and adds -*- C++ -*-==//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_COMPUTEPEAK_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_COMPUTEPEAK_H

#include "runtime/tools/measure/ComputeUnits.h"

#include <cstdint>
#include <vector>

namespace llamart::tools {

struct ComputePeak {
  ComputeUnit unit;
  double operationsPerSecond = 0;
};

/// Multiplications and additions per second of every unit, so many threads
/// together: the best of `repetitions` runs of a few milliseconds.
std::vector<ComputePeak> measureComputePeaks(int32_t threads, int repetitions);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_COMPUTEPEAK_H
