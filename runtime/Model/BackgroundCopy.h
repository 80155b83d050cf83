//===- BackgroundCopy.h - Weights into huge pages, meanwhile ----*- C++ -*-===//
//
// A mapped model answers at once, but from pages of 4 KB, which is up to 1.4
// times slower for memory than pages of 2 MB (docs/performance.md). So a thread
// copies the weights while tokens are made. Rules:
//
//   B1  Nothing is done before begin(), which takes as long as starting a
//       thread: the first token comes as if there were no copy.
//   B2  The copy is seen when it is whole, and stays until the end, as does the
//       original: who has read either pointer may use it for as long as this
//       lives.
//   B3  What is in the way (memory, huge pages, a thread) leaves the original
//       in use and is not an error.
//   B4  The end does not wait for the copy, only for the piece in hand.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_MODEL_BACKGROUNDCOPY_H
#define LLAMA_RUNTIME_MODEL_BACKGROUNDCOPY_H

#include "runtime/Model/Memory.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <thread>

namespace llamart {

class BackgroundCopy {
public:
  enum class State : uint8_t {
    NotBegun,
    Running,
    Done,
    TooSmall,    ///< caches hold it: huge pages gain nothing
    NoHugePages, ///< this system has none
    NoMemory,    ///< or not enough to spare
    NoThread,    ///< the system refused one
  };

  /// What is copied: of a mapped file, whose pages go back once they are copied,
  /// as if nobody had read them; or of memory, whose pages stay.
  enum class Original : uint8_t { File, Memory };

  /// Of `bytes` from `from` on, which stay what they are while this lives.
  /// `root` precedes the paths of /proc, /sys and mounts: "" but in tests.
  BackgroundCopy(const char *from, uint64_t bytes, Original original,
                 std::string root = "");
  ~BackgroundCopy(); // (B4)
  BackgroundCopy(const BackgroundCopy &) = delete;
  BackgroundCopy &operator=(const BackgroundCopy &) = delete;

  /// Starts the thread, or does nothing if that was done or gains nothing. Any
  /// thread may call it. In a process that was forked meanwhile the copy stays
  /// unfinished.
  void begin();

  /// begin() and wait until nothing is under way.
  void finish();

  /// The copy; null as long as it is not whole. Any thread may ask.
  const char *getCopy() const { return copy.load(std::memory_order_acquire); }

  State getState() const { return state.load(std::memory_order_acquire); }

  /// What has become of it, to be read after "weights: ".
  std::string describe() const;

  /// Whether a copy of `bytes` leaves a fifth of `available` bytes, for the cache
  /// of keys and values and for others.
  static bool isRoomFor(uint64_t bytes, uint64_t available) {
    return available / 5 * 4 >= bytes;
  }

private:
  void run();
  void stop();
  State makeCopy();
  void setState(State next);
  bool hasRoomFrom(uint64_t done) const;

  const char *const from;
  const uint64_t bytes;
  const Original original;
  const std::string root;
  Pages pages;        // the thread's, until it says Done
  double seconds = 0; // likewise
  std::atomic<const char *> copy = nullptr;
  std::atomic<State> state = State::NotBegun;
  std::atomic<bool> mustEnd = false;
  pid_t process = 0; // that the thread is in
  std::thread thread;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_BACKGROUNDCOPY_H
