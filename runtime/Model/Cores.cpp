//===- Cores.cpp - How many cores this process may use --------------------===//

#include "runtime/Model/Cores.h"

#include "runtime/Model/CpuQuota.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <set>
#include <string>
#include <thread>
#include <utility>

using namespace llamart;

int32_t llamart::getAvailableCores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
    return std::max(1u, std::thread::hardware_concurrency());
  // Hardware threads of one core share package and core number.
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed))
      continue;
    std::string folder =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    int package = 0, core = cpu; // if the kernel does not say
    std::ifstream(folder + "physical_package_id") >> package;
    std::ifstream(folder + "core_id") >> core;
    cores.emplace(package, core);
  }
  double quota = std::max(1.0, std::ceil(getCpuQuota()));
  return std::max(1, int32_t(std::min<double>(cores.size(), quota)));
}
