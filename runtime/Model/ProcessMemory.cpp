//===- ProcessMemory.cpp - What this process has in memory ----------------===//

#include "runtime/Model/ProcessMemory.h"

#include <algorithm>
#include <fstream>
#include <locale>
#include <sys/resource.h>
#include <unistd.h>

using namespace llamart;

ProcessMemory llamart::getProcessMemory() {
  ProcessMemory result;
  // The second number of statm (proc(5)): resident pages.
  std::ifstream file("/proc/self/statm");
  file.imbue(std::locale::classic());
  uint64_t all = 0, resident = 0;
  if (file >> all >> resident)
    result.resident = resident * uint64_t(sysconf(_SC_PAGESIZE));
  rusage usage = {};
  if (getrusage(RUSAGE_SELF, &usage) == 0)
    result.peak = uint64_t(usage.ru_maxrss) * 1024; // kilobytes: getrusage(2)
  result.peak = std::max(result.peak, result.resident);
  return result;
}
