//===- SharedLoops.h - Which thread does what of a forward call -*- C++ -*-===//
//
// The loops of a forward call are cut into shares. Every thread comes by all
// loops in one order and takes shares of each until there are none; between two
// phases stands a barrier. Rules:
//
//   L1  A share is taken once. Who goes on to the next loop has seen that all of
//       this one were taken.
//   L2  A phase is over when every share that was taken in it is done, and not
//       before: then what was written in it is seen by all.
//   L3  Nobody is waited for but for a share that it has taken. A thread that is
//       late finds nothing to take in the phases that others have finished.
//   L4  In a call that nobody wants any more, threads take what is left of each
//       loop at once and do none of it; its results are garbage.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_SHAREDLOOPS_H
#define LLAMA_RUNTIME_ENGINE_SHAREDLOOPS_H

#include "runtime/Engine/Cancel.h"

#include <atomic>
#include <cstdint>
#include <span>

namespace llamart {

/// Of one forward call.
class SharedLoops {
public:
  class Thread;

  /// `beneficiaries` live as long as the loops.
  explicit SharedLoops(std::span<const Beneficiary> beneficiaries = {})
      : beneficiaries(beneficiaries) {}

  /// Whether a share was left undone. (L4)
  bool isGivenUp() const { return givenUp.load(std::memory_order_relaxed); }

private:
  bool giveUp();

  std::span<const Beneficiary> beneficiaries;
  std::atomic<bool> givenUp = false;
  /// Number of the loop that threads take from, above; of its next share, below.
  /// Grows only.
  alignas(64) std::atomic<uint64_t> next = 0;
  alignas(64) std::atomic<int64_t> done = 0;   ///< shares, of this phase
  alignas(64) std::atomic<uint32_t> phase = 0; ///< how many are over
};

/// One thread's way through the loops.
class SharedLoops::Thread {
public:
  explicit Thread(SharedLoops &loops) : loops(loops) {}

  /// A share, 0 to `shares` - 1, of the loop that the thread is at; or -1 when
  /// all are taken: the next call is then of the next loop.
  int64_t takeShare(int64_t shares);

  /// Returns once the phase is over. (L2)
  void arrive();

  /// As llama_call wants them: `thread` is a Thread.
  static int64_t takeShare(void *thread, int64_t shares) {
    return static_cast<Thread *>(thread)->takeShare(shares);
  }
  static void arrive(void *thread, int64_t /*phase*/, int64_t /*layer*/) {
    static_cast<Thread *>(thread)->arrive();
  }

private:
  SharedLoops &loops;
  uint32_t loop = 0;    ///< that it is at
  uint32_t phase = 0;   ///< that it is in
  int64_t taken = 0;    ///< shares, in this phase
  int64_t expected = 0; ///< shares of all loops that it has seen in this phase
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_SHAREDLOOPS_H
