//===- TypedLines.cpp - Lines of stdin, and Ctrl-C ------------------------===//

#include "runtime/tools/generate/TypedLines.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace llamart::tools {
namespace {

// A signal that comes just before poll() would not end it: a pipe is what
// poll() sees, too.
volatile std::sig_atomic_t interrupted = 0;
std::array<int, 2> wake = {-1, -1};

void interrupt(int /*signal*/) {
  int saved = errno;
  interrupted = 1;
  (void)!write(wake[1], "", 1);
  errno = saved;
}

[[noreturn]] void fail(const char *what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Waits until stdin can be read; false at Ctrl-C.
bool waitForInput() {
  std::array<pollfd, 2> files = {
      {{STDIN_FILENO, POLLIN, 0}, {wake[0], POLLIN, 0}}};
  while (!TypedLines::isInterrupted()) {
    if (poll(files.data(), files.size(), -1) < 0) {
      if (errno != EINTR)
        fail("poll");
      continue;
    }
    if (files[1].revents)
      return false;
    if (files[0].revents)
      return true;
  }
  return false;
}

} // namespace

TypedLines::TypedLines() {
  if (pipe2(wake.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    fail("pipe");
  interrupted = 0;
  struct sigaction action = {};
  action.sa_handler = interrupt;
  action.sa_flags = SA_RESTART; // what is being written is gone on with
  sigaction(SIGINT, &action, &before);
}

TypedLines::~TypedLines() {
  sigaction(SIGINT, &before, nullptr);
  for (int file : wake)
    close(file);
}

bool TypedLines::isInterrupted() { return interrupted != 0; }

void TypedLines::forgetInterrupt() {
  interrupted = 0;
  std::array<char, 16> bytes = {};
  while (::read(wake[0], bytes.data(), bytes.size()) > 0) {
  }
}

bool TypedLines::read(std::string &line) {
  size_t searched = 0;
  for (;;) {
    if (isInterrupted())
      return false;
    size_t end = buffer.find('\n', searched);
    if (end != std::string::npos) {
      line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      return true;
    }
    searched = buffer.size();
    if (!waitForInput())
      return false;
    std::array<char, 4096> bytes = {};
    ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR && errno != EAGAIN)
      fail("stdin");
    if (count > 0)
      buffer.append(bytes.data(), static_cast<size_t>(count));
    if (count != 0)
      continue;
    if (buffer.empty())
      return false;
    line = std::exchange(buffer, {}); // the last line has no end
    return true;
  }
}

} // namespace llamart::tools
