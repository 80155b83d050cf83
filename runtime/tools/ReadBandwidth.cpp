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
constexpr int kStreams = 8;

using Line = uint64_t __attribute__((vector_size(64)));

struct Read {
  const Line *lines;
  uint64_t linesPerStream;
  int32_t threads;
  uint64_t *sums; // [threads], so that no read is left out

  void run(int32_t thread) const {
    const Line *begin = lines + linesPerStream * kStreams * thread;
    Line sum = {};
    for (uint64_t i = 0; i < linesPerStream; ++i)
      for (int stream = 0; stream < kStreams; ++stream)
        sum += begin[stream * linesPerStream + i];
    for (int lane = 0; lane < 8; ++lane)
      sums[thread] += sum[lane];
  }
};

} // namespace

double measureReadBandwidth(int32_t threads, int repetitions) {
  Pages pages = reserveOrThrow("bandwidth", kBytes, HugePages::Advised);
  std::memset(pages.getData(), 1, kBytes);
  std::vector<uint64_t> sums(threads);
  uint64_t lines = kBytes / sizeof(Line) / threads / kStreams;
  Read read{reinterpret_cast<const Line *>(pages.getData()), lines, threads,
            sums.data()};
  Team team(threads);
  double best = 0;
  for (int i = 0; i <= repetitions; ++i) { // the first one warms up
    auto start = std::chrono::steady_clock::now();
    team.run(
        [](void *p, int32_t thread) { static_cast<Read *>(p)->run(thread); },
        &read);
    std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - start;
    double bytes = double(lines) * threads * kStreams * sizeof(Line);
    if (i > 0)
      best = std::max(best, bytes / took.count());
  }
  return best;
}
