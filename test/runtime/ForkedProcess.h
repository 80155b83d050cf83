//===- ForkedProcess.h - A test's other half ---------------------*- C++ -*-==//

#ifndef LLAMA_TEST_RUNTIME_FORKEDPROCESS_H
#define LLAMA_TEST_RUNTIME_FORKEDPROCESS_H

#include <sys/wait.h>
#include <unistd.h>

/// What `function` returns, 0 to 255, in a forked process; -1 if that takes more
/// than 20 seconds or ends otherwise.
template <typename Function>
int runForked(Function function) {
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(function());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif // LLAMA_TEST_RUNTIME_FORKEDPROCESS_H
