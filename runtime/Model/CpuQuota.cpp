//===- CpuQuota.cpp - Time that a control group allows --------------------===//

#include "runtime/Model/CpuQuota.h"

#include "runtime/Model/ControlGroups.h"

#include <algorithm>
#include <cmath>
#include <fstream>

using namespace llamart;

/// Of one group; infinity without a limit.
static double readQuota(const std::string &folder, bool isVersion2) {
  double quota = 0, period = 0;
  if (isVersion2) { // "150000 100000", "max 100000"
    std::ifstream(folder + "/cpu.max") >> quota >> period;
  } else { // -1: no limit
    std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : HUGE_VAL;
}

double llamart::getCpuQuota(const std::string &root) {
  double least = HUGE_VAL;
  visitControlGroups(root, "cpu",
                     [&](const std::string &folder, bool isVersion2) {
                       least = std::min(least, readQuota(folder, isVersion2));
                     });
  return least;
}
