//===- ThreadCount.h - Threads of the test's process ------------*- C++ -*-===//
//
// A thread that was joined stays in the system's list until it has been taken
// away, a moment later. So what is no longer there has to be waited for.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_RUNTIME_THREADCOUNT_H
#define LLAMA_TEST_RUNTIME_THREADCOUNT_H

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <thread>

inline int64_t countThreads() {
  std::filesystem::directory_iterator tasks("/proc/self/task"), end;
  return std::distance(tasks, end);
}

/// Whether `condition()` comes true within ten seconds.
template <typename Condition>
bool comesTrue(Condition condition) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

#endif // LLAMA_TEST_RUNTIME_THREADCOUNT_H
