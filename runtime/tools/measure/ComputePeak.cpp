//===- ComputePeak.cpp - How fast this machine multiplies and adds --------===//

#include "runtime/tools/measure/ComputePeak.h"

#include "runtime/Engine/Threads.h"

#include <algorithm>
#include <chrono>

namespace llamart::tools {
namespace {

struct Work {
  double (*run)(uint64_t rounds);
  uint64_t rounds;
  double *results; // [threads], so that nothing is left out
};

double getSeconds(Team &team, Work &work) {
  auto start = std::chrono::steady_clock::now();
  team.run(
      [](void *argument, int32_t thread) {
        auto &work = *static_cast<Work *>(argument);
        work.results[thread] = work.run(work.rounds);
      },
      &work);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return took.count();
}

} // namespace

std::vector<ComputePeak> measureComputePeaks(int32_t threads, int repetitions) {
  constexpr double kEnough = 0.005; // seconds: starting costs microseconds
  Team team(threads);
  std::vector<double> results(threads);
  std::vector<ComputePeak> peaks;
  for (const ComputeUnit &unit : findComputeUnits()) {
    Work work{unit.run, 1 << 10, results.data()};
    while (getSeconds(team, work) < kEnough) // warms up too
      work.rounds *= 2;
    double best = 0.0;
    for (int i = 0; i < repetitions; ++i)
      best = std::max(best, double(work.rounds) / getSeconds(team, work));
    peaks.push_back({unit, best * double(unit.operations) * threads});
  }
  return peaks;
}

} // namespace llamart::tools
