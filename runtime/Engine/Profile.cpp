//===- Profile.cpp - What the phases of forward calls take ----------------===//

#include "runtime/Engine/Profile.h"

#include "runtime/abi/LlamaABI.h"

#include <algorithm>
#include <cassert>

using namespace llamart;
using llamaabi::PhaseRows;

/// What one thread notes during a call. On lines of its own.
struct alignas(64) Profile::Thread {
  struct Visit {
    int64_t phase, layer; ///< that follow
    Clock::time_point came, left;
  };

  std::vector<Visit> visits;
  Clock::time_point end;
  llama_call call = {}; // its own

  static void arrive(void *self, int64_t phase, int64_t layer) {
    auto *thread = static_cast<Thread *>(self);
    Visit visit{phase, layer, Clock::now(), {}};
    thread->call.barrier(thread->call.team, phase, layer);
    visit.left = Clock::now();
    thread->visits.push_back(visit);
  }

  static int64_t takeShare(void *self, int64_t shares) {
    const llama_call &call = static_cast<Thread *>(self)->call;
    return call.take_share(call.team, shares);
  }
};

static double toSeconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

Profile::Profile(const Model &model, int32_t threadCount)
    : phases(model.getCode().phases),
      keyBytes(double(model.getKVBlockBytes()) /
               double(model.getInfo().layers * LLAMA_KV_BLOCK)),
      pairOperations(4.0 *
                     double(model.getInfo().heads * model.getInfo().headDim)),
      threads(threadCount) {}

Profile::~Profile() = default;

Profile::Sizes Profile::countSizes(const llama_call &call) {
  Sizes sizes;
  sizes.rows = double(call.rows);
  sizes.prefillRows = double(call.prompt_rows);
  sizes.logitRows = double(call.logit_rows);
  std::vector<int64_t> lengths(call.table_count);
  for (int64_t row = 0; row < call.rows; ++row) {
    int64_t positions = int64_t(call.positions[row]) + 1;
    sizes.pairs += double(positions);
    int64_t &length = lengths[call.sequences[row]];
    length = std::max(length, positions);
  }
  for (int64_t length : lengths)
    sizes.keys += double(length);
  return sizes;
}

void Profile::begin(const llama_call &call) {
  sizes = countSizes(call);
  for (Thread &thread : threads)
    thread.visits.clear();
  start = Clock::now();
}

llama_call Profile::beginThread(const llama_call &call, int32_t number) {
  Thread &thread = threads[number];
  thread.call = call;
  llama_call own = call;
  own.barrier = &Thread::arrive;
  own.take_share = &Thread::takeShare;
  own.team = &thread;
  return own;
}

void Profile::endThread(int32_t number) { threads[number].end = Clock::now(); }

Profile::Entry &Profile::findEntry(int64_t phase, int64_t layer) {
  auto [known, isNew] = numbers.try_emplace({phase, layer}, entries.size());
  if (!isNew)
    return entries[known->second];
  Entry entry;
  entry.phase = phase;
  entry.layer = layer;
  if (phase < 0)
    entry.name = "start";
  else if (phase < std::ssize(phases) && !phases[phase].name.empty())
    entry.name = phases[phase].name;
  else
    entry.name = "phase " + std::to_string(phase);
  return entries.emplace_back(std::move(entry));
}

void Profile::addCosts(Entry &entry) const {
  if (entry.phase < 0 || entry.phase >= std::ssize(phases))
    return;
  const llamaabi::Phase &phase = phases[entry.phase];
  double rows = phase.rows == PhaseRows::Prefill  ? sizes.prefillRows
                : phase.rows == PhaseRows::Logits ? sizes.logitRows
                : phase.rows == PhaseRows::Decode
                    ? sizes.rows - sizes.prefillRows
                    : sizes.rows;
  if (rows > 0)
    entry.weightBytes += double(phase.bytes) + double(phase.rowBytes) * rows;
  entry.operations += 2.0 * double(phase.multiplies) * rows;
  if (phase.readsCache) {
    entry.cacheBytes += keyBytes * sizes.keys;
    entry.operations += pairOperations * sizes.pairs;
  }
}

void Profile::addThread(Thread &thread, Clock::time_point finish) {
  bool isFirst = &thread == threads.data();
  auto share = 1.0 / double(threads.size());
  Clock::time_point began = start;
  for (size_t i = 0; i <= thread.visits.size(); ++i) {
    bool isLast = i == thread.visits.size();
    Entry &entry = i == 0 ? findEntry(-1, -1)
                          : findEntry(thread.visits[i - 1].phase,
                                      thread.visits[i - 1].layer);
    Clock::time_point came = isLast ? thread.end : thread.visits[i].came;
    Clock::time_point left = isLast ? finish : thread.visits[i].left;
    entry.seconds += toSeconds(left - began) * share;
    entry.waiting += toSeconds(left - came) * share;
    began = left;
    if (!isFirst)
      continue;
    ++entry.runs;
    if (entry.lastCall != calls)
      addCosts(entry);
    entry.lastCall = calls;
  }
}

void Profile::end() {
  Clock::time_point finish = start;
  for (const Thread &thread : threads) {
    assert(thread.visits.size() == threads[0].visits.size() && "A2");
    finish = std::max(finish, thread.end);
  }
  for (Thread &thread : threads)
    addThread(thread, finish);
  ++calls;
  seconds += toSeconds(finish - start);
}
