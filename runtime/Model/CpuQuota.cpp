//===- CpuQuota.cpp - Time that a control group allows --------------------===//
//
//   /proc/self/cgroup   0::/a/b                the group in version 2
//                       4:cpu,cpuacct:/a/b     that of a controller in version 1
//   /proc/self/mounts   where the groups of each lie
//
// A container often sees its own group as the root of the mount but the path as
// the host has it. Each part of the path is looked for, so what is not there
// does no harm.
//
//===----------------------------------------------------------------------===//

#include "runtime/Model/CpuQuota.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

using namespace llamart;

/// Whether "cpu" is one of the words of "rw,cpu,cpuacct".
static bool hasCpu(const std::string &list) {
  std::stringstream words(list);
  for (std::string word; std::getline(words, word, ',');)
    if (word == "cpu")
      return true;
  return false;
}

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

/// Of a group and of all around it.
static double readQuotas(const std::string &mount, std::string group,
                         bool isVersion2) {
  double least = readQuota(mount, isVersion2);
  for (; group.size() > 1; group.resize(group.rfind('/')))
    least = std::min(least, readQuota(mount + group, isVersion2));
  return least;
}

/// The process's group; "" if it is in none of that kind.
static std::string findGroup(const std::string &root, bool isVersion2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    std::string list = line.substr(first + 1, second - first - 1);
    if (line.size() > second + 1 && line[second + 1] == '/' &&
        (isVersion2 ? list.empty() : hasCpu(list)))
      return line.substr(second + 1);
  }
  return "";
}

double llamart::getCpuQuota(const std::string &root) {
  double least = HUGE_VAL;
  std::ifstream mounts(root + "/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::string device, folder, type, flags;
    std::stringstream(line) >> device >> folder >> type >> flags;
    bool isVersion2 = type == "cgroup2";
    if (isVersion2 || (type == "cgroup" && hasCpu(flags)))
      least =
          std::min(least, readQuotas(root + folder, findGroup(root, isVersion2),
                                     isVersion2));
  }
  return least;
}
