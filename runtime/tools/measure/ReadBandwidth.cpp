//===- ReadBandwidth.cpp - How fast this machine reads memory -------------===//

#include "runtime/tools/measure/ReadBandwidth.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace llamart::tools {
namespace {

// Far more than any cache. No power of 2: streams whose distance is one get in
// each other's way.
constexpr uint64_t kBytes = 1000000000;

using Line = uint64_t __attribute__((vector_size(64)));

struct Read {
  const Line *lines;
  uint64_t linesPerThread;
  uint64_t *sums; // [threads], so that no read is left out
};

template <int streams>
void readStreams(void *argument, int32_t thread) {
  auto &read = *static_cast<Read *>(argument);
  const Line *begin = read.lines + read.linesPerThread * thread;
  uint64_t linesPerStream = read.linesPerThread / streams;
  Line sum = {};
  for (uint64_t i = 0; i < linesPerStream; ++i)
    for (int stream = 0; stream < streams; ++stream)
      sum += begin[stream * linesPerStream + i];
  for (int lane = 0; lane < 8; ++lane)
    read.sums[thread] += sum[lane];
}

struct Way {
  int streams;
  Task task;
};
constexpr Way kWays[] = {{1, readStreams<1>},
                         {2, readStreams<2>},
                         {4, readStreams<4>},
                         {8, readStreams<8>},
                         {16, readStreams<16>}};

} // namespace

ReadMeter::ReadMeter(int32_t threads)
    : pages(reserveOrThrow("bandwidth", kBytes, HugePages::Advised)),
      team(threads), sums(threads) {
  std::memset(pages.getData(), 1, kBytes);
  for (const Way &way : kWays)
    results.push_back({way.streams, 0.0});
}

double ReadMeter::pass() {
  constexpr uint64_t kMostStreams = 16;
  int32_t threads = team.getThreads();
  uint64_t lines = kBytes / sizeof(Line) / threads;
  lines -= lines % kMostStreams; // the same for all ways
  Read read{reinterpret_cast<const Line *>(pages.getData()), lines,
            sums.data()};
  double best = 0.0;
  for (size_t i = 0; i < results.size(); ++i) {
    auto start = std::chrono::steady_clock::now();
    team.run(kWays[i].task, &read);
    std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - start;
    double rate = double(lines) * threads * sizeof(Line) / took.count();
    results[i].bytesPerSecond = std::max(results[i].bytesPerSecond, rate);
    best = std::max(best, rate);
  }
  return best;
}

} // namespace llamart::tools
