//===- SharedLoops.cpp - Which thread does what of a forward call ---------===//

#include "runtime/Engine/SharedLoops.h"

#include "runtime/Engine/Waiting.h"

#include <algorithm>
#include <utility>

using namespace llamart;

/// Whether this call is not wanted any more: once for all of its threads.
bool SharedLoops::giveUp() {
  if (beneficiaries.empty())
    return false;
  if (!isGivenUp() && isUnwanted(beneficiaries))
    givenUp.store(true, std::memory_order_relaxed);
  return isGivenUp();
}

int64_t SharedLoops::Thread::takeShare(int64_t shares) {
  uint64_t first = uint64_t(loop) << 32;
  bool giveUp = loops.giveUp();
  uint64_t seen = loops.next.load(std::memory_order_relaxed);
  for (;;) {
    // Who comes first to a loop finds the number of one before it. (L1)
    uint64_t share = std::max(seen, first) - first;
    if (share >= uint64_t(shares)) // or others have gone on (L3)
      break;
    uint64_t count = giveUp ? uint64_t(shares) - share : 1; // (L4)
    if (!loops.next.compare_exchange_weak(seen, first + share + count,
                                          std::memory_order_relaxed))
      continue;
    taken += int64_t(count);
    if (!giveUp)
      return int64_t(share);
    break;
  }
  ++loop;
  expected += shares;
  return -1;
}

void SharedLoops::Thread::arrive() {
  uint32_t mine = phase++;
  int64_t own = std::exchange(taken, 0), all = std::exchange(expected, 0);
  if (all == 0) { // nothing to wait for: whoever comes first goes on
    uint32_t current = mine;
    if (loops.phase.compare_exchange_strong(current, mine + 1,
                                            std::memory_order_acq_rel))
      loops.phase.notify_all();
    return;
  }
  // Who has taken nothing may be late: `done` is then of another phase. (L3)
  if (own != 0 &&
      loops.done.fetch_add(own, std::memory_order_acq_rel) + own == all) {
    loops.done.store(0, std::memory_order_relaxed);
    loops.phase.store(mine + 1, std::memory_order_release);
    loops.phase.notify_all();
    return;
  }
  waitWhile(loops.phase, mine);
}
