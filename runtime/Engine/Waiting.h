//===- Waiting.h - Until an atomic changes ----------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_ENGINE_WAITING_H
#define LLAMA_RUNTIME_ENGINE_WAITING_H

#include <atomic>
#include <chrono>
#include <sched.h>

namespace llamart {

/// Tells the core that this thread only waits.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb"); // yield does nothing on most cores
#endif
}

/// Returns when `value` is no longer `old`; what was written before it changed
/// is seen. Spins for a bounded time, then sleeps until a notify.
template <typename T>
void waitWhile(const std::atomic<T> &value, T old) {
  // The parts of a forward call last from a few to some hundred microseconds,
  // and a thread that sleeps takes about 50 to wake up. Who spins for as long as
  // that before sleeping waits at most twice as long as the best choice would.
  constexpr std::chrono::microseconds kSpin(50);
  constexpr int kChecks = 64; // between two looks at the clock
  for (int i = 0; i < kChecks; ++i) {
    if (value.load(std::memory_order_acquire) != old)
      return;
    relax();
  }
  auto end = std::chrono::steady_clock::now() + kSpin;
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < kChecks; ++i) {
      if (value.load(std::memory_order_acquire) != old)
        return;
      relax();
    }
    sched_yield(); // on a crowded machine the others need this core
  }
  value.wait(old, std::memory_order_acquire);
}

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_WAITING_H
