//===- Queue.h - Jobs that come and go while others run ---------*- C++ -*-===//
//
// add(job)  =>  a ticket; step() after step() they share forward calls
//
//   Q1  Jobs begin in the order in which they came, as far as the cache has room
//       for their prompts; if none runs, the next one begins anyway.
//   Q2  Where the cache ends, the youngest job is set aside and its blocks are
//       freed; it waits in its old place and is computed again, to the same bits.
//   Q3  In every step those that generate have one row each; the rest of the rows
//       goes to prompts in equal parts.
//   Q4  A job's error is its own. What fails for all ends all that took part.
//   Q5  Only the thread that steps calls callbacks, and holds no lock meanwhile.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_GENERATE_QUEUE_H
#define LLAMA_RUNTIME_GENERATE_QUEUE_H

#include "runtime/Generate/Run.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace llamart {

class Queue;

/// What becomes of a job. For any thread.
class Ticket {
public:
  /// `milliseconds`: at most; negative: as long as it takes. Whether it is
  /// finished.
  bool wait(int32_t milliseconds) const;

  /// Null until it is finished.
  const GenerateResult *getResult() const;

  bool isCancelled() const { return cancelled; }

private:
  friend class Queue;
  void finish(const GenerateResult &newResult);

  CancelFlag cancelled = false;
  mutable std::mutex lock; // guards the result
  mutable std::condition_variable changed;
  std::optional<GenerateResult> result;
};

struct QueueOptions {
  size_t running = SIZE_MAX; ///< side by side, at most
  size_t waiting = SIZE_MAX; ///< more are refused
  /// Forward calls are cut by the time they take, for jobs that may come.
  bool cutByTime = true;
};

class Queue {
public:
  Queue(std::shared_ptr<Engine> engine, QueueOptions options);
  ~Queue();

  /// From any thread, callbacks too. Throws Error(Argument, Context) for what is
  /// wrong with the job, Error(Cache) if too many wait, Error(Argument) if the
  /// queue was stopped.
  std::shared_ptr<Ticket> add(GenerateJob job);

  /// One forward call at most, or a wait of so many milliseconds for something
  /// to do (negative: as long as it takes). Returns how many are unfinished.
  /// Throws Error(Argument) if it is being stepped.
  size_t step(int32_t waitMilliseconds);

  /// Steps until the queue is stopped.
  void run();

  /// Makes a step that waits return. From any thread.
  void wake();

  /// No more jobs are taken. With `drain` those that are there finish, else they
  /// are cancelled. From any thread.
  void stop(bool drain);

  /// From any thread: the job ends with the step that runs or the next.
  void cancel(Ticket &ticket);

  /// Ends what is left as cancelled, if nobody is there who steps.
  void close() noexcept;

private:
  struct Entry {
    uint64_t number; // in the order of adding
    std::unique_ptr<Run> run;
    std::shared_ptr<Ticket> ticket;
  };
  class Stepping;
  Beneficiary getBeneficiary(const Entry &entry) const {
    return {{&entry.ticket->cancelled, entry.run->getJob().cancel.get(),
             &abandoned}};
  }

  void waitForWork(int32_t milliseconds);
  void admit();
  bool hasRoomFor(const Run &run) const;
  std::vector<Entry *> makeInputs(std::vector<SequenceInput> &inputs);
  void runRound();
  void failRound(std::span<Entry *const> entries, const Error &error);
  void setYoungestAside();
  void retire(std::deque<Entry> &from);
  void finish(Entry &entry);
  size_t count();

  const std::shared_ptr<Engine> engine;
  const QueueOptions options;

  std::mutex lock; // guards all up to the empty line
  std::condition_variable changed;
  std::deque<Entry> inbox; // added, not yet seen by a step
  bool stopped = false, woken = false;
  uint64_t lastNumber = 0;
  size_t unfinished = 0;
  size_t runningCount = 0; // of them

  CancelFlag abandoned = false;         // all jobs are cancelled
  std::atomic<std::thread::id> stepper; // that steps now
  std::deque<Entry> waiting, running;   // its own; oldest first
};

} // namespace llamart

#endif // LLAMA_RUNTIME_GENERATE_QUEUE_H
