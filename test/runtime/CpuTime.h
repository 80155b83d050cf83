//===- CpuTime.h - What a test uses of the processor ------------*- C++ -*-===//

#ifndef LLAMA_TEST_RUNTIME_CPUTIME_H
#define LLAMA_TEST_RUNTIME_CPUTIME_H

#include <ctime>

/// CPU seconds that all threads together use while `function` runs.
template <typename Function>
double getCpuTimeOf(Function function) {
  auto now = [] {
    timespec time = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
  };
  double before = now();
  function();
  return now() - before;
}

#endif // LLAMA_TEST_RUNTIME_CPUTIME_H
