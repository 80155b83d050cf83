//===- Engine.h - Runs forward calls ----------------------------*- C++ -*-===//
//
// inputs: (sequence, token ids, which logits)  =>  llama_forward, once per
//         batchRows rows; then every sequence is longer and has its logits
//
// Owns what forward calls share: the threads, the KV cache, the workspace. Rows
// of all inputs stand in one list, prefill first; a call takes the next
// batchRows of it. No bit of a result depends on that (rule A4 of the ABI).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_ENGINE_H
#define LLAMA_RUNTIME_ENGINE_ENGINE_H

#include "runtime/Engine/Batch.h"
#include "runtime/Engine/Profile.h"
#include "runtime/Engine/Sequence.h"
#include "runtime/Engine/Threads.h"
#include "runtime/Model/Model.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <sys/types.h>
#include <vector>

namespace llamart {

struct EngineOptions {
  int32_t threads = 0;     ///< 0: available cores, as far as they pay
  int32_t batchRows = 256; ///< rows of one forward call at most
  uint64_t kvBytes = 0;    ///< budget of the KV cache; 0: half of the memory
  std::unique_ptr<Executor> executor; ///< in place of threads of our own
};

/// All functions may be called from several threads; they take turns. In a
/// process that was forked from the engine's they throw Error(System) where
/// what they need stayed behind: threads, or a turn that another thread had.
class Engine {
public:
  Engine(std::shared_ptr<const Model> model, EngineOptions options);
  ~Engine();

  Sequence makeSequence() { return Sequence(pool); }

  /// A second sequence with the same past and logits, by sharing the cache.
  Sequence fork(const Sequence &sequence);

  /// Forgets the positions from `length` on, which the sequence has, and the
  /// logits.
  void truncate(Sequence &sequence, int64_t length);

  /// Before a sequence ends: gives its part of the cache back.
  void release(Sequence &sequence) noexcept;

  /// Feeds all sequences, each at most once, or none: on an error every one is
  /// what it was. Throws Error(Argument, Context, Memory, System).
  void eval(std::span<const SequenceInput> inputs);

  /// From now on forward calls add what their phases take to `profile`; null:
  /// nobody asks.
  void setProfile(Profile *newProfile);

  const Model &getModel() const { return *model; }
  int32_t getThreads() const { return executor->getThreads(); }
  int32_t getBatchRows() const { return batchRows; }

  /// Bytes of the KV cache that sequences hold; bytes of its budget.
  uint64_t getKVBytesUsed();
  uint64_t getKVBytesBudget();

private:
  std::unique_lock<std::mutex> tryTurn();
  std::unique_lock<std::mutex> takeTurn();
  void check(std::span<const SequenceInput> inputs) const;
  void growWorkspace(const Batch &batch);
  using KeptPages = std::shared_ptr<Pages>[2];
  static std::shared_ptr<Pages> takePages(KeptPages &kept, const char *name,
                                          uint64_t bytes);
  void run(const Batch &batch, float *logits, float *scores);
  void commit(std::span<const SequenceInput> inputs, Batch &batch,
              const std::shared_ptr<Pages> &logits,
              const std::shared_ptr<Pages> &scores);

  std::shared_ptr<const Model> model;
  std::unique_ptr<Executor> executor;
  int32_t batchRows;
  std::atomic<pid_t> process; // whose threads may hold the lock
  std::mutex lock; // guards all below and the sequences' parts of the cache
  KVPool pool;
  Pages workspace;
  KeptPages logitPages, scorePages; // used again when no sequence has them
  Profile *profile = nullptr;
  bool hasGivenLogits = false; // so the first token is out, or never comes
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_ENGINE_H
