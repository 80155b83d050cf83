//===- Profile.h - What the phases of forward calls take --------*- C++ -*-===//
//
// barrier(phase 3, layer 0) .. barrier(phase 4, layer 0)
//   =>  seconds, bytes and operations of phase 3
//
// Every thread runs the whole program and meets the others at barriers, each of
// which says what follows it: a phase. So nothing is measured within the code:
// a thread notes when it came to each barrier and when it left. Rules:
//
//   T1  A thread's time, from the beginning of a call to its end, is cut at
//       barriers without a gap: the phases' seconds add up to the calls'.
//   T2  What lies before the first barrier is the start, phase -1: threads
//       wake.
//   T3  A phase's seconds, and the waiting that is part of them, are means over
//       the threads. Waiting in the last phase ends when the last thread does.
//   T4  Bytes and operations count once a call, however often a phase runs:
//       each weight is needed once, a key and a value once for every sequence.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_PROFILE_H
#define LLAMA_RUNTIME_ENGINE_PROFILE_H

#include "runtime/Model/Model.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace llamart {

class Profile {
public:
  /// What one phase took in one layer, over all calls.
  struct Entry {
    std::string name;
    int64_t phase = -1;     ///< number of its barrier; -1: the start
    int64_t layer = -1;     ///< -1: outside of the layers
    int64_t runs = 0;       ///< how often it ran
    int64_t lastCall = -1;  ///< in which it ran
    double seconds = 0;     ///< waiting included
    double waiting = 0;     ///< at the barrier after it, for other threads
    double weightBytes = 0; ///< that had to be read
    double cacheBytes = 0;  ///< of keys and values
    double operations = 0;  ///< multiplies and adds: of products, and of
                            ///< queries with keys and of weights with values
  };

  Profile(const Model &model, int32_t threads);
  ~Profile();

  /// Around a forward call, on the thread that makes it.
  void begin(const llama_call &call);
  void end();

  /// Around llama_forward, on every thread: its call, with a barrier that notes
  /// when the thread comes and goes.
  llama_call beginThread(const llama_call &call, int32_t thread);
  void endThread(int32_t thread);

  int64_t getCalls() const { return calls; }
  /// Of all calls.
  double getSeconds() const { return seconds; }
  /// In the order in which they first ran.
  const std::vector<Entry> &getEntries() const { return entries; }

private:
  using Clock = std::chrono::steady_clock;
  struct Thread;

  /// Rows and positions of the call that runs.
  struct Sizes {
    double rows = 0, prefillRows = 0, logitRows = 0;
    double pairs = 0; ///< of a row and a position it attends to
    double keys = 0;  ///< positions of all sequences
  };

  static Sizes countSizes(const llama_call &call);
  Entry &findEntry(int64_t phase, int64_t layer);
  void addCosts(Entry &entry) const;
  void addThread(Thread &thread, Clock::time_point finish);

  const std::vector<llamaabi::Phase> phases;
  const double keyBytes;       ///< of a position's keys and values in one layer
  const double pairOperations; ///< of a row with one position, in one layer
  std::vector<Thread> threads;
  std::vector<Entry> entries;
  std::map<std::pair<int64_t, int64_t>, size_t> numbers; // by phase and layer
  Sizes sizes;
  Clock::time_point start;
  int64_t calls = 0;
  double seconds = 0;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_PROFILE_H
