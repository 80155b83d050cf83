//===- Threads.cpp - One parallel region per forward call -----------------===//

#include "runtime/Engine/Threads.h"

#include "runtime/Engine/Waiting.h"
#include "runtime/Error.h"
#include "runtime/Model/SignalsBlocked.h"

#include <system_error>
#include <unistd.h>
#include <utility>

using namespace llamart;

Executor::~Executor() = default;

Team::Team(int32_t threads) : process(getpid()) {
  SignalsBlocked guard;
  try {
    workers.reserve(threads - 1);
    for (int32_t i = 1; i < threads; ++i)
      workers.emplace_back([this, i] { work(i); });
  } catch (const std::system_error &error) {
    stop();
    throw Error(ErrorKind::System, "cannot start ", threads,
                " threads: ", error.code().message());
  } catch (...) {
    stop();
    throw;
  }
}

Team::~Team() { stop(); }

void Team::stop() {
  if (getpid() != process) {
    // Nobody is there to be joined, and std::thread insists on it: these stay.
    new std::vector<std::thread>(std::move(workers));
    return;
  }
  task = nullptr;
  calls.fetch_add(1, std::memory_order_release);
  calls.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

void Team::run(Task newTask, void *newArgument) {
  if (!workers.empty() && getpid() != process)
    throw Error(ErrorKind::System, "the engine's ", getThreads(),
                " threads are in process ", process,
                ", which made it: a forked process makes an engine of its own");
  task = newTask;
  argument = newArgument;
  running.store(workers.size(), std::memory_order_relaxed);
  calls.fetch_add(1, std::memory_order_release);
  calls.notify_all();
  task(argument, 0);
  for (int32_t left; (left = running.load(std::memory_order_acquire)) != 0;)
    waitWhile(running, left);
}

void Team::work(int32_t thread) {
  for (uint32_t seen = 0;; ++seen) {
    waitWhile(calls, seen);
    if (!task)
      return;
    task(argument, thread);
    if (running.fetch_sub(1, std::memory_order_acq_rel) == 1)
      running.notify_one();
  }
}

void ForeignExecutor::run(Task task, void *argument) {
  struct Counted {
    Task task;
    void *argument;
    std::atomic<int32_t> finished = 0;
  } counted{task, argument};
  auto count = [](void *p, int32_t thread) {
    auto *counted = static_cast<Counted *>(p);
    counted->task(counted->argument, thread);
    counted->finished.fetch_add(1, std::memory_order_release);
  };
  int result = callBack(
      "the executor", [&] { return function(user, count, &counted, threads); });
  if (result != 0)
    throw Error(ErrorKind::System, "the executor failed with ", result);
  int32_t finished = counted.finished.load(std::memory_order_acquire);
  if (finished != threads)
    throw Error(ErrorKind::System, "the executor ran ", finished, " of ",
                threads, " threads");
}
