//===- SignalsBlocked.h - Threads that get no signals -----------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_MODEL_SIGNALSBLOCKED_H
#define LLAMA_RUNTIME_MODEL_SIGNALSBLOCKED_H

#include <csignal>
#include <pthread.h>

namespace llamart {

/// While this lives, the calling thread and those that it starts get no signals
/// but those that an instruction of theirs causes: signals of the application go
/// to its own threads.
class SignalsBlocked {
public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (int fault : {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS})
      sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  SignalsBlocked(const SignalsBlocked &) = delete;
  SignalsBlocked &operator=(const SignalsBlocked &) = delete;

private:
  sigset_t before;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_SIGNALSBLOCKED_H
