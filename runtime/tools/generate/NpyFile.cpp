//===- NpyFile.cpp - Writes a matrix row by row into a .npy file ----------===//

#include "runtime/tools/generate/NpyFile.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace llamart::tools {

// The file to remove when a signal ends the process; null if there is none.
static const char *volatile unfinishedFile = nullptr;

static void removeUnfinished(int signal) {
  if (unfinishedFile)
    unlink(unfinishedFile);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

namespace {
// Holds back the signals that end a process until there is someone to clean up.
class SignalsHeld {
public:
  SignalsHeld() {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : kSignals)
      sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &before);
  }
  ~SignalsHeld() { sigprocmask(SIG_SETMASK, &before, nullptr); }

  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

private:
  sigset_t before;
};
} // namespace

/// mkstemp, with the file removed should a signal end the process. Sets the X's
/// of the name; -1 and errno if it fails.
static int makeTemporary(std::string &name) {
  SignalsHeld guard;
  int descriptor = mkstemp(name.data());
  if (descriptor < 0)
    return descriptor;
  unfinishedFile = name.c_str();
  for (int signal : SignalsHeld::kSignals)
    if (std::signal(signal, removeUnfinished) == SIG_IGN)
      std::signal(signal, SIG_IGN); // as nohup wants it
  return descriptor;
}

static bool isRegularOrAbsent(const std::string &path) {
  struct stat status = {};
  return stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

/// mkstemp makes files for their owner alone; these are like any other.
static void allowUsualAccess(int descriptor) {
  mode_t mask = umask(0);
  umask(mask);
  fchmod(descriptor, 0666 & ~mask);
}

NpyFile::NpyFile(std::string name, int64_t columns)
    : path(std::move(name)), columns(columns) {
  try {
    open();
    writeHeader();
  } catch (...) {
    discard();
    throw;
  }
}

NpyFile::~NpyFile() { discard(); }

void NpyFile::open() {
  if (isRegularOrAbsent(path)) {
    temporary = path + ".XXXXXX";
    int descriptor = makeTemporary(temporary);
    if (descriptor < 0) {
      temporary.clear();
      fail();
    }
    allowUsualAccess(descriptor);
    file = fdopen(descriptor, "wb");
  } else {
    file = std::fopen(path.c_str(), "wb");
  }
  if (!file)
    fail();
}

void NpyFile::discard() {
  unfinishedFile = nullptr;
  if (file)
    std::fclose(file);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

void NpyFile::fail() const {
  throw std::runtime_error(path + ": " + std::strerror(errno));
}

// Format version 1.0: magic, version, length of the rest, then a Python
// dictionary padded with spaces. Always 128 bytes, so that it can be written
// again when the number of rows is known.
void NpyFile::writeHeader() {
  constexpr int kBytes = 128, kPrefix = 10;
  char header[kBytes + 1];
  std::memset(header, ' ', kBytes);
  std::memcpy(header, "\x93NUMPY\x01\x00", 8);
  header[8] = kBytes - kPrefix;
  header[9] = 0;
  int length = std::snprintf(
      header + kPrefix, kBytes - kPrefix,
      "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }",
      static_cast<long long>(rows), static_cast<long long>(columns));
  header[kPrefix + length] = ' ';
  header[kBytes - 1] = '\n';
  if (std::fwrite(header, 1, kBytes, file) != kBytes)
    fail();
}

void NpyFile::write(const float *data, int64_t count) {
  size_t elements = count * columns;
  if (std::fwrite(data, sizeof(float), elements, file) != elements)
    fail();
  rows += count;
}

void NpyFile::finish() {
  if (std::fseek(file, 0, SEEK_SET) != 0)
    fail();
  writeHeader();
  if (std::fflush(file) != 0)
    fail();
  if (std::fclose(std::exchange(file, nullptr)) != 0)
    fail();
  if (temporary.empty())
    return;
  if (std::rename(temporary.c_str(), path.c_str()) != 0)
    fail();
  unfinishedFile = nullptr;
  temporary.clear();
}

} // namespace llamart::tools
