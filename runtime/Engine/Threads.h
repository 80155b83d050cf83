//===- Threads.h - One parallel region per forward call ---------*- C++ -*-===//
//
// executor.run(task, argument)  =>  task(argument, 0) .. task(argument, n - 1)
//
// Waiting for the next call is spinning for a bounded time and then sleeping, so
// that a machine with more threads than cores does not stall.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_THREADS_H
#define LLAMA_RUNTIME_ENGINE_THREADS_H

#include <atomic>
#include <cstdint>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace llamart {

/// Must not throw.
using Task = void (*)(void *argument, int32_t thread);

class Executor {
public:
  virtual ~Executor();

  virtual int32_t getThreads() const = 0;

  /// Runs the task getThreads() times and returns when all have finished. They
  /// should run at the same time, but do not have to: none waits for one that
  /// has not begun. Throws Error(System) if it could not.
  virtual void run(Task task, void *argument) = 0;
};

/// Threads of our own, of which the caller of run() is the first. They live as
/// long as the Team, in the process that made it: a fork has none of them.
class Team final : public Executor {
public:
  /// Throws Error(System) if the threads cannot be had.
  explicit Team(int32_t threads);
  ~Team() override;

  int32_t getThreads() const override { return 1 + int32_t(workers.size()); }
  /// Throws Error(System) in a process that was forked from the Team's, unless
  /// the caller is all there is.
  void run(Task task, void *argument) override;

private:
  void work(int32_t thread);
  void stop();

  const pid_t process; // that the workers are in
  std::vector<std::thread> workers;
  Task task = nullptr; // null: the workers end
  void *argument = nullptr;
  alignas(64) std::atomic<uint32_t> calls = 0;
  alignas(64) std::atomic<int32_t> running = 0;
};

/// Threads of the embedding application.
class ForeignExecutor final : public Executor {
public:
  /// Calls task(argument, 0 .. threads - 1) and returns when all have finished,
  /// or another number than 0 if it could not.
  using Run = int (*)(void *user, Task task, void *argument, int32_t threads);

  ForeignExecutor(Run function, void *user, int32_t threads)
      : function(function), user(user), threads(threads) {}

  int32_t getThreads() const override { return threads; }
  void run(Task task, void *argument) override;

private:
  Run function;
  void *user;
  int32_t threads;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_THREADS_H
