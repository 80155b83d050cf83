//===- ProfileReport.cpp - Where a model's time goes ----------------------===//

#include "runtime/tools/measure/ProfileReport.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace llamart::tools {

using nlohmann::ordered_json;

namespace {

/// Phases of one name, in one layer or in all, per call.
std::vector<Profile::Entry> sumUp(const Profile &profile, bool byLayers) {
  std::vector<Profile::Entry> sums;
  for (const Profile::Entry &entry : profile.getEntries()) {
    auto known = std::ranges::find_if(sums, [&](const Profile::Entry &sum) {
      return sum.name == entry.name && (!byLayers || sum.layer == entry.layer);
    });
    if (known == sums.end()) {
      sums.push_back(entry);
      continue;
    }
    known->runs += entry.runs;
    known->seconds += entry.seconds;
    known->waiting += entry.waiting;
    known->weightBytes += entry.weightBytes;
    known->cacheBytes += entry.cacheBytes;
    known->operations += entry.operations;
  }
  auto calls = double(profile.getCalls());
  for (Profile::Entry &sum : sums) {
    sum.seconds /= calls;
    sum.waiting /= calls;
    sum.weightBytes /= calls;
    sum.cacheBytes /= calls;
    sum.operations /= calls;
  }
  return sums;
}

/// What an eval takes besides its forward calls, per call.
double getSecondsOutside(const Measured &line) {
  return (line.rates.getSeconds() - line.profile->getSeconds()) /
         double(line.profile->getCalls());
}

std::string nameOf(const Profile::Entry &entry, bool byLayers) {
  if (!byLayers || entry.layer < 0)
    return entry.name;
  return std::to_string(entry.layer) + "  " + entry.name;
}

void printEntry(const Profile::Entry &entry, const std::string &name,
                size_t width, int64_t calls, double total) {
  double bytes = entry.weightBytes + entry.cacheBytes;
  std::printf("  %-*s %7.1f %9.3f %5.1f %% %8.3f", int(width), name.c_str(),
              double(entry.runs) / double(calls), entry.seconds * 1e3,
              100 * entry.seconds / total, entry.waiting * 1e3);
  if (bytes > 0)
    std::printf(" %8.4f %6.1f", bytes / kGiga, bytes / entry.seconds / kGiga);
  else if (entry.operations > 0)
    std::printf(" %8s %6s", "", "");
  if (entry.operations > 0)
    std::printf(" %8.1f", entry.operations / entry.seconds / kGiga);
  std::printf("\n");
}

} // namespace

void printProfile(const Measured &line, bool byLayers) {
  const Profile &profile = *line.profile;
  std::vector<Profile::Entry> sums = sumUp(profile, byLayers);
  Profile::Entry all;
  all.runs = profile.getCalls();
  size_t width = 4;
  for (const Profile::Entry &sum : sums) {
    width = std::max(width, nameOf(sum, byLayers).size());
    all.seconds += sum.seconds;
    all.waiting += sum.waiting;
    all.weightBytes += sum.weightBytes;
    all.cacheBytes += sum.cacheBytes;
    all.operations += sum.operations;
  }
  auto number = [](int64_t value) { return static_cast<long long>(value); };
  std::printf("\n%s of %lld", line.decode ? "decode" : "prompt",
              number(line.prompt));
  if (line.decode)
    std::printf(" + %lld tokens, batch %lld", number(line.decode),
                number(line.batch));
  else
    std::printf(" tokens");
  std::printf(": %lld forward calls, per call:\n", number(profile.getCalls()));
  std::printf("  %-*s %7s %9s %7s %8s %8s %6s %8s\n", int(width), "", "runs",
              "ms", "", "waiting", "GB", "GB/s", "Gop/s");
  for (const Profile::Entry &sum : sums)
    printEntry(sum, nameOf(sum, byLayers), width, profile.getCalls(),
               all.seconds);
  printEntry(all, "call", width, profile.getCalls(), all.seconds);
  std::printf("  outside of forward calls: %.3f ms\n",
              getSecondsOutside(line) * 1e3);
}

ordered_json describeProfile(const Measured &line, bool byLayers) {
  const Profile &profile = *line.profile;
  ordered_json phases = ordered_json::array();
  for (const Profile::Entry &sum : sumUp(profile, byLayers)) {
    ordered_json phase = {{"name", sum.name}};
    if (byLayers)
      phase["layer"] = sum.layer < 0 ? ordered_json() : ordered_json(sum.layer);
    phase["runs"] = double(sum.runs) / double(profile.getCalls());
    phase["seconds"] = sum.seconds;
    phase["waiting_seconds"] = sum.waiting;
    phase["weight_bytes"] = sum.weightBytes;
    phase["cache_bytes"] = sum.cacheBytes;
    phase["operations"] = sum.operations;
    phases.push_back(std::move(phase));
  }
  return {{"calls", profile.getCalls()},
          {"seconds", profile.getSeconds() / double(profile.getCalls())},
          {"seconds_outside", getSecondsOutside(line)},
          {"steps", std::move(phases)}};
}

} // namespace llamart::tools
