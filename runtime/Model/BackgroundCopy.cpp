//===- BackgroundCopy.cpp - Weights into huge pages, meanwhile ------------===//

#include "runtime/Model/BackgroundCopy.h"

#include "runtime/Model/AvailableMemory.h"
#include "runtime/Model/SignalsBlocked.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

using namespace llamart;
using State = BackgroundCopy::State;

static constexpr uint64_t kMB = uint64_t(1) << 20;
static constexpr uint64_t kLeastBytes = 64 * kMB; // that caches do not hold
static constexpr uint64_t kPiece = kMB / 4;     // between two looks at mustEnd
static constexpr uint64_t kPiecesPerRoom = 256; // between two at memory

BackgroundCopy::BackgroundCopy(const char *from, uint64_t bytes,
                               Original original, std::string root)
    : from(from), bytes(bytes), original(original), root(std::move(root)) {}

BackgroundCopy::~BackgroundCopy() { stop(); }

void BackgroundCopy::stop() {
  if (!thread.joinable())
    return;
  if (getpid() != process) {
    // A fork has no such thread, and std::thread insists on its end.
    new std::thread(std::move(thread));
    return;
  }
  mustEnd.store(true, std::memory_order_relaxed);
  thread.join();
}

void BackgroundCopy::begin() {
  State before = State::NotBegun;
  if (getState() != before ||
      !state.compare_exchange_strong(
          before, bytes < kLeastBytes ? State::TooSmall : State::Running) ||
      bytes < kLeastBytes)
    return;
  process = getpid();
  SignalsBlocked guard;
  try {
    thread = std::thread([this] { run(); });
  } catch (const std::exception &) {
    setState(State::NoThread);
  }
}

void BackgroundCopy::finish() {
  begin();
  state.wait(State::Running, std::memory_order_acquire);
}

void BackgroundCopy::setState(State next) {
  state.store(next, std::memory_order_release);
  state.notify_all();
}

// Threads that make tokens, of this process or others, come first, but this one
// must not starve: it may have to finish a page fault that others wait for, and
// what it does makes the others faster. So not SCHED_IDLE. SCHED_BATCH also
// takes it out of the real-time classes, if the application's thread is in one.
static void lowerPriority() {
  constexpr int kNicer = 10; // a tenth of a core that somebody else wants
  sched_param parameters = {};
  sched_setscheduler(0, SCHED_BATCH, &parameters);
  errno = 0;
  int nice = getpriority(PRIO_PROCESS, 0); // of this thread alone
  if (errno == 0)
    setpriority(PRIO_PROCESS, 0, std::min(nice + kNicer, 19));
}

void BackgroundCopy::run() {
  auto start = std::chrono::steady_clock::now();
  lowerPriority();
  State end = makeCopy();
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  seconds = took.count();
  if (end == State::Done &&
      original == Original::File) // calls that still read them get them back
    releasePages(const_cast<char *>(from), bytes);
  if (end != State::Running)
    setState(end);
}

bool BackgroundCopy::hasRoomFrom(uint64_t done) const {
  return isRoomFor(bytes - done, getAvailableMemory(root));
}

State BackgroundCopy::makeCopy() {
  if (!hasHugePages(root))
    return State::NoHugePages;
  pages = Pages::reserve(bytes, HugePages::Advised);
  if (!pages)
    return State::NoMemory;
  for (uint64_t begin = 0, piece = 0; begin < bytes; begin += kPiece, ++piece) {
    if (mustEnd.load(std::memory_order_relaxed))
      return State::Running; // nobody asks any more
    if (piece % kPiecesPerRoom == 0 && !hasRoomFrom(begin)) {
      pages = Pages();
      return State::NoMemory;
    }
    std::memcpy(pages.getData() + begin, from + begin,
                std::min(kPiece, bytes - begin));
  }
  copy.store(pages.getData(), std::memory_order_release);
  return State::Done;
}

std::string BackgroundCopy::describe() const {
  switch (getState()) {
  case State::NotBegun:
    return "mapped; a copy begins after the first token";
  case State::Running:
    return "mapped; a copy is being made";
  case State::TooSmall:
    return "mapped; too small to gain from huge pages";
  case State::NoHugePages:
    return "mapped; this system has no huge pages";
  case State::NoMemory:
    return "mapped; too little memory is free for a copy";
  case State::NoThread:
    return "mapped; no thread could be started to copy them";
  case State::Done:
    break;
  }
  char text[64];
  std::snprintf(text, sizeof(text), "copied into huge pages, in %.2f s",
                seconds);
  return text;
}
