//===- ControlGroups.cpp - The groups that limit this process -------------===//
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

#include "runtime/Model/ControlGroups.h"

#include <fstream>
#include <sstream>

using namespace llamart;

/// Whether `word` is one of the words of "rw,cpu,cpuacct".
static bool contains(const std::string &list, const std::string &word) {
  std::stringstream words(list);
  for (std::string found; std::getline(words, found, ',');)
    if (found == word)
      return true;
  return false;
}

/// The process's group; "" if it is in none of that kind.
static std::string findGroup(const std::string &root,
                             const std::string &controller, bool isVersion2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    std::string list = line.substr(first + 1, second - first - 1);
    if (line.size() > second + 1 && line[second + 1] == '/' &&
        (isVersion2 ? list.empty() : contains(list, controller)))
      return line.substr(second + 1);
  }
  return "";
}

void llamart::visitControlGroups(
    const std::string &root, const std::string &controller,
    const std::function<void(const std::string &folder, bool isVersion2)>
        &visit) {
  std::ifstream mounts(root + "/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::string device, folder, type, flags;
    std::stringstream(line) >> device >> folder >> type >> flags;
    bool isVersion2 = type == "cgroup2";
    if (!isVersion2 && !(type == "cgroup" && contains(flags, controller)))
      continue;
    std::string group = findGroup(root, controller, isVersion2);
    folder.insert(0, root);
    visit(folder, isVersion2);
    for (; group.size() > 1; group.resize(group.rfind('/')))
      visit(folder + group, isVersion2);
  }
}
