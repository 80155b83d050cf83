//===- ReadBandwidth.cpp - How fast this machine reads memory -------------===//

#include "runtime/tools/ReadBandwidth.h"

#include "runtime/Memory.h"
#include "runtime/Threads.h"

#include <algorithm>
#include <chrono>
#include <cstring>

using namespace llamart;

namespace {

constexpr uint64_t kBytes = uint64_t(1) << 30; // far more than any cache

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

std::vector<ReadBandwidth> measureReadBandwidth(int32_t threads,
                                                int repetitions) {
  Pages pages = reserveOrThrow("bandwidth", kBytes, HugePages::Advised);
  std::memset(pages.getData(), 1, kBytes);
  std::vector<uint64_t> sums(threads);
  constexpr uint64_t kMostStreams = 16;
  uint64_t lines = kBytes / sizeof(Line) / threads;
  lines -= lines % kMostStreams; // the same for all ways
  Read read{reinterpret_cast<const Line *>(pages.getData()), lines,
            sums.data()};
  Team team(threads);
  std::vector<ReadBandwidth> result;
  for (const Way &way : kWays)
    result.push_back({way.streams, 0.0});
  for (int i = 0; i <= repetitions; ++i) // in turn; the first one warms up
    for (ReadBandwidth &each : result) {
      const Way &way = kWays[&each - result.data()];
      auto start = std::chrono::steady_clock::now();
      team.run(way.task, &read);
      std::chrono::duration<double> took =
          std::chrono::steady_clock::now() - start;
      double bytes = double(lines) * threads * sizeof(Line);
      if (i > 0)
        each.bytesPerSecond =
            std::max(each.bytesPerSecond, bytes / took.count());
    }
  return result;
}
