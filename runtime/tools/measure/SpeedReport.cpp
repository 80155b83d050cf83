//===- SpeedReport.cpp - A model's speed as a table or as JSON ------------===//

#include "runtime/Model/CpuFeatures.h"
#include "runtime/tools/measure/ProfileReport.h"
#include "runtime/tools/measure/Speed.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

using nlohmann::ordered_json;

namespace llamart::tools {
namespace {

/// The bound that a line comes closer to: it would not be faster than that.
std::string_view getBound(const Measured &line, const Speed &speed) {
  double reads = line.getBytesPerSecond() / speed.getBestRead().bytesPerSecond;
  double peak =
      line.getOperationsPerSecond() / speed.getBestPeak().operationsPerSecond;
  return reads >= peak ? "reads" : speed.getBestPeak().unit.name;
}

void printLine(const Measured &line, const Speed &speed) {
  double bytes = line.getBytesPerSecond(), ops = line.getOperationsPerSecond();
  std::string what = line.decode ? "decode" : "prompt";
  std::string tokens = std::to_string(line.prompt);
  if (line.decode)
    tokens += " + " + std::to_string(line.decode);
  double spread =
      (line.rates.getMost() - line.rates.getLeast()) / line.rates.getMedian();
  std::printf("%s %12s %6lld  %9.1f %5.1f %%  %6.1f %4.0f %%  %8.1f %4.0f %%"
              "  %s\n",
              what.c_str(), tokens.c_str(), static_cast<long long>(line.batch),
              line.rates.getMedian(), 100 * spread, bytes / kGiga,
              100 * bytes / speed.getBestRead().bytesPerSecond, ops / kGiga,
              100 * ops / speed.getBestPeak().operationsPerSecond,
              std::string(getBound(line, speed)).c_str());
}

ordered_json describe(const Measured &line, const Speed &speed,
                      const SpeedOptions &options) {
  double bytes = line.getBytesPerSecond(), ops = line.getOperationsPerSecond();
  ordered_json result = {{"prompt_tokens", line.prompt}};
  if (line.decode) {
    result["decode_tokens"] = line.decode;
    result["batch"] = line.batch;
  }
  result["tokens_per_s"] = {{"median", line.rates.getMedian()},
                            {"min", line.rates.getLeast()},
                            {"max", line.rates.getMost()}};
  result["weight_bytes_per_s"] = bytes;
  result["share_of_read"] = bytes / speed.getBestRead().bytesPerSecond;
  result["operations_per_s"] = ops;
  result["share_of_peak"] = ops / speed.getBestPeak().operationsPerSecond;
  result["bound"] = getBound(line, speed);
  if (line.profile)
    result["profile"] = describeProfile(line, options.profile == "layers");
  return result;
}

} // namespace

void printSpeed(const SpeedOptions &options, const Speed &speed) {
  std::printf("%s, %d threads\n", getCpuName().c_str(), speed.threads);
  std::printf("reads, GB/s by streams of each thread:");
  for (const ReadBandwidth &read : speed.reads)
    std::printf("  %d: %.1f", read.streams, read.bytesPerSecond / kGiga);
  const ReadDrift &drift = speed.drift;
  std::printf("\nreads before and after, GB/s: %.1f, %.1f (%.1f %% apart%s)",
              drift.before / kGiga, drift.after / kGiga, 100 * drift.getShare(),
              drift.isNoise() ? ": noise" : "");
  std::printf("\nmultiplies and adds, G/s:");
  for (const ComputePeak &peak : speed.peaks)
    std::printf("%s  %s %.0f", &peak == &speed.peaks.front() ? "" : ",",
                std::string(peak.unit.name).c_str(),
                peak.operationsPerSecond / kGiga);
  std::printf("\nweights of a forward call: %.3f GB; %% of reads with %d "
              "streams, %% of %s\n\n",
              double(speed.costs.bytesPerCall) / kGiga,
              speed.getBestRead().streams,
              std::string(speed.getBestPeak().unit.name).c_str());
  std::printf("             tokens  batch   tokens/s  spread    GB/s      %%"
              "      Gop/s      %%  bound\n");
  for (const Measured &line : speed.prompts)
    printLine(line, speed);
  for (const Measured &line : speed.decodes)
    printLine(line, speed);
  for (const std::vector<Measured> *lines : {&speed.prompts, &speed.decodes})
    for (const Measured &line : *lines)
      if (line.profile)
        printProfile(line, options.profile == "layers");
}

void printSpeedJson(const SpeedOptions &o, const Speed &speed) {
  ordered_json out = {
      {"model", o.model},
      {"threads", speed.threads},
      {"cpu", getCpuName()},
      {"read_bytes_per_s", speed.getBestRead().bytesPerSecond},
      {"read_streams", speed.getBestRead().streams},
      {"reads", ordered_json::array()},
      {"read_before_bytes_per_s", speed.drift.before},
      {"read_after_bytes_per_s", speed.drift.after},
      {"noise", speed.drift.isNoise()},
      {"measurements", speed.measurements},
      {"peak_unit", speed.getBestPeak().unit.name},
      {"peak_operations_per_s", speed.getBestPeak().operationsPerSecond},
      {"peaks", ordered_json::array()},
      {"weight_bytes_per_call", speed.costs.bytesPerCall},
      {"prompt", ordered_json::array()},
      {"decode", ordered_json::array()}};
  for (const ReadBandwidth &read : speed.reads)
    out["reads"].push_back(
        {{"streams", read.streams}, {"bytes_per_s", read.bytesPerSecond}});
  for (const ComputePeak &peak : speed.peaks)
    out["peaks"].push_back({{"unit", peak.unit.name},
                            {"operations_per_s", peak.operationsPerSecond}});
  for (const Measured &line : speed.prompts)
    out["prompt"].push_back(describe(line, speed, o));
  for (const Measured &line : speed.decodes)
    out["decode"].push_back(describe(line, speed, o));
  std::puts(out.dump(2).c_str());
}

} // namespace llamart::tools
