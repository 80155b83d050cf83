//===- Session.h - One sequence ---------------------------------*- C++ -*-===//
//
// A sequence of an engine, and what a sampler remembers about it. Grows through
// Engine::eval.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_SESSION_H
#define LLAMA_RUNTIME_ENGINE_SESSION_H

#include "runtime/Engine/Engine.h"
#include "runtime/Engine/SamplerMemory.h"
#include "runtime/Sampler/Sampler.h"

#include <atomic>
#include <memory>
#include <span>
#include <string>

namespace llamart {

struct SessionOptions {
  /// Names the sequence for random numbers: sessions with the same seed, text
  /// and number draw the same tokens.
  uint64_t number = 0;
  std::string salt = ""; ///< past beginnings are found only by equal ones
};

class Session {
public:
  Session(const std::shared_ptr<Engine> &engine, SessionOptions options);
  ~Session();

  /// A second session with the same past, logits and sampler state. Shares the
  /// cache until one of them grows.
  std::unique_ptr<Session> fork(uint64_t number) const;

  /// Forgets everything from position `length` on; logits and sampler state are
  /// those of that length, if they are still there. Throws Error(Argument) if
  /// the session is shorter.
  void truncate(int64_t length);

  /// Gives its part of the cache back; the next eval restores it.
  void release() { engine->release(sequence); }

  /// Becomes the longest beginning of `ids` that the engine still has; for an
  /// empty session.
  void adopt(std::span<const int32_t> ids) { engine->adopt(sequence, ids); }

  const std::shared_ptr<Engine> &getEngine() const { return engine; }
  Sequence &getSequence() { return sequence; }
  const Sequence &getSequence() const { return sequence; }
  uint64_t getNumber() const { return number; }
  int64_t getLength() const { return sequence.getLength(); }

  /// The ids fed so far, oldest first.
  std::span<const int32_t> getHistory() const { return sequence.history; }

  /// Those asked for in the last eval; no rows if none were.
  const Logits &getLogits() const { return sequence.logits; }

  /// A row of them, [vocab]. Throws Error(Argument) if it is not there; -1 is
  /// the last.
  std::span<const float> getLogits(int64_t row) const;

  /// Of a row of logits, -1: the last; no data if nobody asked.
  AttentionScores getAttention(int64_t row = -1) const;

  /// The next token by the last row of logits. Does not feed it. Throws
  /// Error(Argument) if there are no logits.
  int32_t sample(const std::shared_ptr<const Sampler> &sampler,
                 SampleTrace *trace = nullptr);

  /// Shows the rows of logits to a sampler that wants those of the prompt.
  void observe(const std::shared_ptr<const Sampler> &sampler);

  SamplerMemory &getMemory() { return memory; }
  const SamplerMemory &getMemory() const { return memory; }

  /// A job has it: nobody else may change it.
  class Use;
  bool isInUse() const { return inUse; }

private:
  Session(std::shared_ptr<Engine> engine, uint64_t number, Sequence sequence);

  std::shared_ptr<Engine> engine;
  uint64_t number;
  Sequence sequence;
  SamplerMemory memory;
  std::atomic<bool> inUse = false;
};

/// Has a session to itself while it lives.
class Session::Use {
public:
  /// Throws Error(Argument) if somebody has it.
  explicit Use(std::shared_ptr<Session> session);
  Use(Use &&other) = default;
  Use &operator=(Use &&other) = delete;
  ~Use();

private:
  std::shared_ptr<Session> session; // null once moved from
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_SESSION_H
