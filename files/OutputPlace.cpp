//===- OutputPlace.cpp - Where an output goes -----------------------------===//

#include "files/OutputPlace.h"

#include "files/InputFiles.h"

#include <fcntl.h>
#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace llamafiles {
namespace {

std::string refuseInput(const std::string &name) {
  return name + ": is a file that is read, expected another one to write";
}

bool isSameFile(const struct stat &a, const struct stat &b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Which standard stream it is, or -1.
int findStandard(const struct stat &file) {
  for (int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat standard = {};
    if (fstat(descriptor, &standard) == 0 && isSameFile(standard, file))
      return descriptor;
  }
  return -1;
}

/// Whether one may write at any place of it, as of /dev/null.
bool canSeek(const std::string &path) {
  int descriptor = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  bool can = descriptor >= 0 && lseek(descriptor, 0, SEEK_CUR) == 0;
  if (descriptor >= 0)
    close(descriptor);
  return can;
}

const char *describeStream(mode_t mode) {
  return S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

std::string findStandardPlace(const std::string &name, int standard,
                              Order order, OutputPlace &place) {
  if (order == Order::Anywhere)
    return name + ": expected a file of its own, for this is not written from "
                  "its beginning to its end";
  if (isInput(standard))
    return refuseInput(name);
  place.path = name;
  place.isStream = true;
  place.standard = standard;
  return "";
}

} // namespace

std::string followLinks(const std::string &path) {
  constexpr int kMostLinks = 40; // as the kernel has it
  std::filesystem::path at(path);
  std::error_code error;
  for (int i = 0; i < kMostLinks; ++i) {
    std::filesystem::path next = std::filesystem::read_symlink(at, error);
    if (error)
      break; // not a link
    at = next.is_absolute() ? next : at.parent_path() / next;
  }
  return at.native();
}

int OutputPlace::openStream() const {
  return standard >= 0 ? fcntl(standard, F_DUPFD_CLOEXEC, 0)
                       : open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

std::string findOutputPlace(const std::string &path, Order order,
                            OutputPlace &place) {
  place = {path, false, -1, std::nullopt};
  if (path == "-")
    return findStandardPlace("standard output", STDOUT_FILENO, order, place);
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) {
    place.path = followLinks(path);
    return "";
  }
  if (S_ISDIR(status.st_mode))
    return path + ": cannot be written: it is a directory";
  if (isInput(path))
    return refuseInput(path);
  if (int standard = findStandard(status);
      standard >= 0 && S_ISREG(status.st_mode))
    return findStandardPlace(path, standard, order, place);
  if (S_ISREG(status.st_mode)) {
    place.path = followLinks(path);
    place.mode = status.st_mode & 07777;
    return "";
  }
  place.isStream = true;
  if (order == Order::Anywhere && !(S_ISCHR(status.st_mode) && canSeek(path)))
    return path + ": is " + describeStream(status.st_mode) +
           ", expected a file, for this is not written from its beginning to "
           "its end";
  return "";
}

std::string checkOutputs(const std::vector<Output> &outputs) {
  std::set<std::filesystem::path> files;
  for (const auto &[path, order] : outputs) {
    OutputPlace place;
    std::string problem = findOutputPlace(path, order, place);
    if (!problem.empty())
      return problem;
    std::error_code error; // a place without a name is that of no other
    auto file = std::filesystem::weakly_canonical(place.path, error);
    if (!place.isStream && !error && !files.insert(file).second)
      return path + ": is where two outputs go, expected a file for each";
  }
  return "";
}

std::string checkStandardOutput() {
  return isInput(STDOUT_FILENO) ? refuseInput("standard output") : "";
}

} // namespace llamafiles
