//===- AvailableMemory.cpp - What may be used without harm ----------------===//
//
//   /proc/meminfo                   MemAvailable:  8123456 kB
//   memory.max, memory.current      of a group, version 2
//   memory.limit_in_bytes, memory.usage_in_bytes      version 1
//   memory.stat                     inactive_file 123, active_file 456
//
//===----------------------------------------------------------------------===//

#include "runtime/Model/AvailableMemory.h"

#include "runtime/Model/ControlGroups.h"

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace llamart;

/// 0 if the system does not say.
static uint64_t readSystem(const std::string &root) {
  std::ifstream file(root + "/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::string key;
    uint64_t kilobytes = 0;
    if (std::stringstream(line) >> key >> kilobytes && key == "MemAvailable:")
      return kilobytes * 1024;
  }
  return 0;
}

/// Bytes of the group that are pages of files.
static uint64_t readFilePages(const std::string &folder) {
  std::ifstream file(folder + "/memory.stat");
  uint64_t bytes = 0, value = 0;
  for (std::string key; file >> key >> value;)
    if (key == "inactive_file" || key == "active_file")
      bytes += value;
  return bytes;
}

/// What is left of a group's limit; the most there is without one.
static uint64_t readGroup(const std::string &folder, bool isVersion2) {
  uint64_t limit = 0, used = 0;
  std::ifstream limitFile(
      folder + (isVersion2 ? "/memory.max" : "/memory.limit_in_bytes"));
  std::ifstream usedFile(
      folder + (isVersion2 ? "/memory.current" : "/memory.usage_in_bytes"));
  if (!(limitFile >> limit) || !(usedFile >> used)) // "max"
    return UINT64_MAX;
  used -= std::min(used, readFilePages(folder));
  return limit - std::min(limit, used);
}

uint64_t llamart::getAvailableMemory(const std::string &root) {
  uint64_t least = readSystem(root);
  visitControlGroups(root, "memory",
                     [&](const std::string &folder, bool isVersion2) {
                       least = std::min(least, readGroup(folder, isVersion2));
                     });
  return least;
}
