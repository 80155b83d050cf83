//===- Engine.h - Runs forward calls ----------------------------*- C++ -*-===//
//
// feeds: (session, token ids, which logits)  =>  llama_forward, once per
//        batchRows rows; then every session is longer and has its logits
//
// Owns what forward calls share: the threads, the KV cache, the workspace. Rows
// of all feeds stand in one list, prompts first; a call takes the next
// batchRows of it. No bit of a result depends on that (rule A4 of the ABI).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_ENGINE_H
#define LLAMA_RUNTIME_ENGINE_ENGINE_H

#include "runtime/Engine/KVCache.h"
#include "runtime/Engine/Profile.h"
#include "runtime/Engine/Threads.h"
#include "runtime/Model/Model.h"
#include "runtime/Sampler/Sampler.h"

#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace llamart {

class Session;

struct EngineOptions {
  int32_t threads = 0;     ///< 0: available cores, as far as they pay
  int32_t batchRows = 256; ///< rows of one forward call at most
  uint64_t kvBytes = 0;    ///< budget of the KV cache; 0: half of the memory
  std::unique_ptr<Executor> executor; ///< in place of threads of our own
};

/// Where token ids come from; says which kernels see them.
enum class Source : uint8_t { Prompt, Model };

enum class WantLogits : uint8_t { None, Last, All };

struct Feed {
  Session *session = nullptr;
  std::span<const int32_t> ids; ///< at least one
  Source source = Source::Prompt;
  WantLogits logits = WantLogits::Last;
  bool attention = false; ///< scores of the last row of logits too
};

/// Rows of logits, kept alive by whoever looks at them.
struct Logits {
  std::shared_ptr<const Pages> pages;
  const float *data = nullptr; ///< [rows, vocab]
  int64_t rows = 0;
};

/// The last layer's scores of one row, kept alive by whoever looks at them.
struct Attention {
  std::shared_ptr<const Pages> pages;
  AttentionScores scores; ///< no data if nobody asked
};

/// All functions may be called from several threads; they take turns.
class Engine {
public:
  Engine(std::shared_ptr<const Model> model, EngineOptions options);
  ~Engine();

  /// Feeds all sessions, each at most once, or none: on an error every session
  /// is what it was. Throws Error(Argument, Context, Memory, System).
  void eval(std::span<const Feed> feeds);

  /// From now on forward calls add what their steps take to `profile`; null:
  /// nobody asks.
  void setProfile(Profile *newProfile);

  const Model &getModel() const { return *model; }
  int32_t getThreads() const { return executor->getThreads(); }
  int32_t getBatchRows() const { return batchRows; }

  /// Bytes of the KV cache that sequences hold; bytes of its budget.
  uint64_t getKVBytesUsed();
  uint64_t getKVBytesBudget();

private:
  friend class Session; // takes the lock for what it does to the pool

  struct Batch; // the rows of one eval
  void check(std::span<const Feed> feeds) const;
  void growWorkspace(const Batch &batch);
  using KeptPages = std::shared_ptr<Pages>[2];
  static std::shared_ptr<Pages> takePages(KeptPages &kept, const char *name,
                                          uint64_t bytes);
  void run(const Batch &batch, float *logits, float *scores);
  void commit(std::span<const Feed> feeds, Batch &batch,
              const std::shared_ptr<Pages> &logits,
              const std::shared_ptr<Pages> &scores);

  std::shared_ptr<const Model> model;
  std::unique_ptr<Executor> executor;
  int32_t batchRows;
  std::mutex lock; // guards all below and the sessions' parts of the cache
  KVPool pool;
  Pages workspace;
  KeptPages logitPages, scorePages; // used again when no session looks
  Profile *profile = nullptr;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_ENGINE_H
