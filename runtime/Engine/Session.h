//===- Session.h - One sequence ---------------------------------*- C++ -*-===//
//
// Its part of the KV cache, its token ids, its last logits, what a sampler
// remembers about it. Grows through Engine::eval.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_SESSION_H
#define LLAMA_RUNTIME_ENGINE_SESSION_H

#include "runtime/Engine/Engine.h"
#include "runtime/Sampler/Sampler.h"

#include <memory>
#include <span>
#include <vector>

namespace llamart {

class Session {
public:
  /// `number` names the sequence for random numbers: sessions with the same
  /// seed, text and number draw the same tokens.
  Session(std::shared_ptr<Engine> engine, uint64_t number);
  ~Session();

  /// A second session with the same past, logits and sampler state. Shares the
  /// cache until one of them grows.
  std::unique_ptr<Session> fork(uint64_t number) const;

  /// Forgets everything from position `length` on, and the logits. Throws
  /// Error(Argument) if the session is shorter.
  void truncate(int64_t length);

  const std::shared_ptr<Engine> &getEngine() const { return engine; }
  int64_t getLength() const { return cache.getLength(); }

  /// The ids fed so far, oldest first.
  std::span<const int32_t> getHistory() const { return history; }

  /// Those asked for in the last eval; no rows if none were.
  const Logits &getLogits() const { return logits; }

  /// Of the last row of logits; no data if nobody asked.
  const AttentionScores &getAttention() const { return attention.scores; }

  /// The next token by the last row of logits. Does not feed it. Throws
  /// Error(Argument) if there are no logits.
  int32_t sample(const std::shared_ptr<const Sampler> &sampler,
                 SampleTrace *trace = nullptr);

  /// Shows the rows of logits to a sampler that wants those of the prompt.
  void observe(const std::shared_ptr<const Sampler> &sampler);

private:
  friend class Engine;
  void useState(const std::shared_ptr<const Sampler> &sampler);
  /// Makes append() of so many ids unable to fail.
  void reserve(size_t count);
  void append(std::span<const int32_t> ids, Source source) noexcept;

  std::shared_ptr<Engine> engine;
  uint64_t number;
  KVSequence cache;
  std::vector<int32_t> history;
  size_t promptLength = 0; // up to the last id that came from a prompt
  Logits logits;
  Attention attention; // of their last row

  std::shared_ptr<const Sampler> stateOwner; // whose state it is
  std::unique_ptr<SamplerState> state;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_SESSION_H
