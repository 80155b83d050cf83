//===- CopyWeights.cpp - Many bytes, by all cores -------------------------===//
//
// Pages are touched for the first time here, so this is as much a matter of
// page faults as of bytes: all cores take part.
//
//===----------------------------------------------------------------------===//

#include "runtime/Model/CopyWeights.h"

#include "runtime/Model/Cores.h"
#include "runtime/Model/Memory.h"
#include "runtime/Model/SignalsBlocked.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

using namespace llamart;

// A few milliseconds, of whole huge pages.
static constexpr uint64_t kCopiedAtOnce = 4 * kHugePage;
static constexpr uint64_t kWorthAThread = uint64_t(64) << 20;

namespace {

/// Pieces that threads take as they come.
class Copy {
public:
  Copy(const char *from, char *to, uint64_t bytes)
      : from(from), to(to), bytes(bytes) {}

  /// Copies one piece; false if none is left.
  bool copyPiece() {
    uint64_t begin = next.fetch_add(kCopiedAtOnce, std::memory_order_relaxed);
    if (begin >= bytes)
      return false;
    uint64_t size = std::min(kCopiedAtOnce, bytes - begin);
    std::memcpy(to + begin, from + begin, size);
    done.fetch_add(size, std::memory_order_relaxed);
    return true;
  }

  void giveUp() { next.store(bytes, std::memory_order_relaxed); }

  double getPart() const {
    return double(done.load(std::memory_order_relaxed)) / double(bytes);
  }

private:
  const char *const from;
  char *const to;
  const uint64_t bytes;
  std::atomic<uint64_t> next = 0, done = 0;
};

/// Gives up if it is left by an exception, so that the others end.
class GiveUpUnlessDone {
public:
  explicit GiveUpUnlessDone(Copy &copy) : copy(copy) {}
  ~GiveUpUnlessDone() { copy.giveUp(); }
  GiveUpUnlessDone(const GiveUpUnlessDone &) = delete;
  GiveUpUnlessDone &operator=(const GiveUpUnlessDone &) = delete;

private:
  Copy &copy;
};

} // namespace

/// As many as the system grants: fewer take longer.
static void startHelpers(Copy &copy, uint64_t count,
                         std::vector<std::jthread> &helpers) {
  try {
    for (uint64_t i = 0; i < count; ++i)
      helpers.emplace_back([&copy] {
        while (copy.copyPiece()) {
        }
      });
  } catch (const std::system_error &) {
    return;
  }
}

bool llamart::copyWeights(const char *from, char *to, uint64_t bytes,
                          const Progress &progress) {
  Copy copy(from, to, bytes);
  uint64_t threads =
      std::clamp<uint64_t>(bytes / kWorthAThread, 1, getAvailableCores());
  {
    std::vector<std::jthread> others;
    GiveUpUnlessDone guard(copy); // before they are waited for
    {
      SignalsBlocked blocked;
      startHelpers(copy, threads - 1, others);
    }
    while (copy.copyPiece())
      if (progress && !progress(std::min(copy.getPart(), 0.99)))
        return false;
  }
  return !progress || progress(1);
}
