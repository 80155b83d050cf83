//===- WholeFile.cpp - A file that is whole or absent ---------------------===//

#include "files/WholeFile.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace llamafiles {
namespace {

// Names of files to remove when a signal ends the process; null: a free place.
constexpr size_t kMostUnfinished = 8;
const char *volatile unfinished[kMostUnfinished];

void removeUnfinished(int signal) {
  for (const char *name : unfinished)
    if (name)
      unlink(name);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void replaceUnfinished(const char *old, const char *name) {
  for (const char *volatile &place : unfinished)
    if (place == old) {
      place = name;
      return;
    }
}

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

/// Lets signals clean up, unless they are ignored, as nohup wants it, or have a
/// handler already.
void handleSignals() {
  for (int signal : SignalsHeld::kSignals) {
    struct sigaction before = {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_DFL)
      std::signal(signal, removeUnfinished);
  }
}

/// mkstemp, with the file removed should a signal end the process. Sets the X's
/// of the name; -1 and errno if it fails.
int makeTemporary(std::string &name) {
  SignalsHeld guard;
  int descriptor = mkstemp(name.data());
  if (descriptor < 0)
    return descriptor;
  replaceUnfinished(nullptr, name.c_str());
  handleSignals();
  return descriptor;
}

/// mkstemp makes files for their owner alone; these are like any other.
mode_t getUsualMode() {
  mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

} // namespace

WholeFile::WholeFile(const std::string &path, Order order) : path(path) {
  std::string problem = findOutputPlace(path, order, place);
  if (!problem.empty())
    throw std::runtime_error(problem);
  try {
    open();
  } catch (...) {
    discard();
    throw;
  }
}

WholeFile::~WholeFile() { discard(); }

void WholeFile::open() {
  int descriptor = -1;
  if (place.isStream) {
    descriptor = place.openStream();
  } else {
    temporary = place.path + ".XXXXXX";
    descriptor = makeTemporary(temporary);
    if (descriptor < 0)
      temporary.clear();
    else
      fchmod(descriptor, place.mode.value_or(getUsualMode()));
  }
  if (descriptor >= 0)
    file = fdopen(descriptor, "wb");
  if (!file)
    fail();
}

void WholeFile::discard() {
  if (file)
    std::fclose(file);
  if (temporary.empty())
    return;
  unlink(temporary.c_str());
  replaceUnfinished(temporary.c_str(), nullptr);
}

void WholeFile::fail() const {
  throw std::runtime_error(path + ": " + std::strerror(errno));
}

void WholeFile::write(const void *bytes, size_t count) {
  if (std::fwrite(bytes, 1, count, file) != count)
    fail();
}

void WholeFile::seek(long offset) {
  if (std::fseek(file, offset, SEEK_SET) != 0)
    fail();
}

void WholeFile::flush() {
  if (std::fflush(file) != 0)
    fail();
}

void WholeFile::finish() {
  flush();
  if (std::fclose(std::exchange(file, nullptr)) != 0)
    fail();
  if (temporary.empty())
    return;
  // What was found at the beginning may be something else by now.
  std::string problem = findOutputPlace(path, Order::Anywhere, place);
  if (!problem.empty())
    throw std::runtime_error(problem);
  SignalsHeld guard;
  if (std::rename(temporary.c_str(), place.path.c_str()) != 0)
    fail();
  replaceUnfinished(temporary.c_str(), nullptr);
  temporary.clear();
}

} // namespace llamafiles
