//===- Engine.h - Runs forward calls ----------------------------*- C++ -*-===//
//
// inputs: (sequence, token ids, which logits)  =>  llama_forward, once per
//         batchRows rows; then every sequence is longer and has its logits
//
// Owns what forward calls share: the threads, the KV cache with what is kept of
// past sequences, the workspace. Rows of all inputs stand in one list, prefill
// first; a call takes the next batchRows of it. No bit of a result depends on
// that (rule A4 of the ABI), nor on whether keys and values were found, computed
// or computed again.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_ENGINE_H
#define LLAMA_RUNTIME_ENGINE_ENGINE_H

#include "runtime/Engine/Batch.h"
#include "runtime/Engine/CallTimes.h"
#include "runtime/Engine/Cancel.h"
#include "runtime/Engine/PrefixCache.h"
#include "runtime/Engine/Profile.h"
#include "runtime/Engine/Sequence.h"
#include "runtime/Engine/Threads.h"
#include "runtime/Model/Model.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace llamart {

struct EngineOptions {
  int32_t threads = 0;      ///< 0: available cores, as far as they pay
  int32_t batchRows = 256;  ///< rows of one forward call at most
  uint64_t kvBytes = 0;     ///< budget of the KV cache; 0: half of the memory
  uint64_t prefixBytes = 0; ///< of it, for beginnings of past sequences
  int32_t stepMs = 100;     ///< of a call that jobs share; negative: no matter
  std::unique_ptr<Executor> executor; ///< in place of threads of our own
};

/// What an engine has done since it was made, and what it holds.
struct EngineStats {
  uint64_t forwardCalls = 0, forwardNs = 0, rows = 0;
  uint64_t promptTokens = 0, generatedTokens = 0, recomputedTokens = 0;
  uint64_t prefixAskedTokens = 0, prefixFoundTokens = 0;
  uint64_t kvUsed = 0, kvCached = 0, kvBudget = 0; ///< bytes
  uint64_t workspaceBytes = 0;
};

/// Of an engine, for whoever counts.
struct EngineCounts {
  std::atomic<uint64_t> sequences = 0;            ///< that are open
  std::atomic<uint64_t> running = 0, waiting = 0; ///< jobs of queues
  std::atomic<uint64_t> preemptions = 0;          ///< jobs that were set aside
};

/// All functions may be called from several threads; they take turns. In a
/// process that was forked from the engine's they throw Error(System) where
/// what they need stayed behind: threads, or a turn that another thread had.
/// Called by an executor in the middle of an eval, they throw Error(Argument).
class Engine {
public:
  Engine(std::shared_ptr<const Model> model, EngineOptions options);
  ~Engine();

  Sequence makeSequence(std::string salt); ///< waits for no turn

  /// A second sequence with the same past and logits, by sharing the cache.
  Sequence fork(const Sequence &sequence);

  /// Forgets the positions from `length` on, which the sequence has.
  void truncate(Sequence &sequence, int64_t length);

  /// Gives its part of the cache back; the next eval restores it.
  void release(Sequence &sequence);

  /// An empty sequence becomes the longest known beginning of `ids`, a prompt.
  void adopt(Sequence &sequence, std::span<const int32_t> ids);

  /// Before a sequence ends.
  void close(Sequence &sequence) noexcept;

  /// Feeds all sequences, each at most once, or none: on an error every one is
  /// what it was. Throws Error(Argument, Context, Cache, Memory, System), and
  /// Error(Cancelled) once all `beneficiaries` are, if there are any.
  void eval(std::span<const SequenceInput> inputs,
            std::span<const Beneficiary> beneficiaries = {});

  /// Throws Error(Argument) if an id is none of the model's.
  void checkIds(std::span<const int32_t> ids) const;

  /// From now on forward calls add what their phases take to `profile`; null:
  /// nobody asks.
  void setProfile(Profile *newProfile);

  const Model &getModel() const { return *model; }
  int32_t getThreads() const { return executor->getThreads(); }
  int32_t getBatchRows() const { return batchRows; }

  /// Rows of a forward call that jobs share, by the time that it may take.
  int64_t getStepRows() const;

  /// Bytes of the KV cache that sequences hold; bytes of its budget.
  uint64_t getKVBytesUsed() const;
  uint64_t getKVBytesBudget() const;

  /// Blocks of the cache that could be had now.
  int64_t countFreeBlocks() const;

  EngineStats getStats() const;
  EngineCounts &getCounts() { return counts; }
  const EngineCounts &getCounts() const { return counts; }

private:
  friend class SavedSequence; // reads and makes the bytes of blocks
  using Turn = std::unique_lock<std::mutex>;
  Turn tryTurn() const;
  Turn takeTurn();
  void check(std::span<const SequenceInput> inputs) const;
  void checkLength(const SequenceInput &input) const;
  void growWorkspace(const Batch &batch);
  using KeptPages = std::shared_ptr<Pages>[2];
  static std::shared_ptr<Pages> takePages(KeptPages &kept, const char *name,
                                          uint64_t bytes);
  std::vector<KVSequence::Growth> grow(std::span<const SequenceInput> inputs);
  llama_call makeCall(const Batch &batch, const Batch::Call &rows,
                      float *logits, float *scores) const;
  void run(const Batch &batch, float *logits, float *scores,
           std::span<const Beneficiary> beneficiaries);
  void commit(std::span<const SequenceInput> inputs, Batch &batch,
              const std::shared_ptr<Pages> &logits,
              const std::shared_ptr<Pages> &scores) noexcept;
  void giveLogits(const SequenceInput &input, const Batch &batch, int64_t first,
                  const std::shared_ptr<Pages> &logits,
                  const std::shared_ptr<Pages> &scores) const noexcept;
  void count(const SequenceInput &input) noexcept;

  std::shared_ptr<const Model> model;
  std::unique_ptr<Executor> executor;
  int32_t batchRows;
  int32_t stepMs;
  mutable std::atomic<pid_t> process; // whose threads may hold the lock
  mutable std::mutex lock; // guards all below and the sequences' parts of the
                           // cache
  EngineCounts counts;
  std::atomic<std::thread::id> evaluating; // thread that has it for an eval
  KVPool pool;
  PrefixCache prefixes;
  Pages workspace;
  KeptPages logitPages, scorePages; // used again when no sequence has them
  CallTimes callTimes;
  EngineStats stats; // but for what the cache and the workspace hold
  Profile *profile = nullptr;
  bool hasGivenLogits = false; // so the first token is out, or never comes
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_ENGINE_H
