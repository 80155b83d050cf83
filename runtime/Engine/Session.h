//===- Session.h - One sequence ---------------------------------*- C++ -*-===//
//
// A sequence of an engine, and what a sampler remembers about it. Grows through
// Engine::eval.
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
  Session(const std::shared_ptr<Engine> &engine, uint64_t number);
  ~Session();

  /// A second session with the same past, logits and sampler state. Shares the
  /// cache until one of them grows.
  std::unique_ptr<Session> fork(uint64_t number) const;

  /// Forgets everything from position `length` on, and the logits. Throws
  /// Error(Argument) if the session is shorter.
  void truncate(int64_t length);

  const std::shared_ptr<Engine> &getEngine() const { return engine; }
  Sequence &getSequence() { return sequence; }
  int64_t getLength() const { return sequence.getLength(); }

  /// The ids fed so far, oldest first.
  std::span<const int32_t> getHistory() const { return sequence.history; }

  /// Those asked for in the last eval; no rows if none were.
  const Logits &getLogits() const { return sequence.logits; }

  /// Of the last row of logits; no data if nobody asked.
  const AttentionScores &getAttention() const {
    return sequence.attention.scores;
  }

  /// The next token by the last row of logits. Does not feed it. Throws
  /// Error(Argument) if there are no logits.
  int32_t sample(const std::shared_ptr<const Sampler> &sampler,
                 SampleTrace *trace = nullptr);

  /// Shows the rows of logits to a sampler that wants those of the prompt.
  void observe(const std::shared_ptr<const Sampler> &sampler);

private:
  Session(std::shared_ptr<Engine> engine, uint64_t number, Sequence sequence);
  void useState(const std::shared_ptr<const Sampler> &sampler);

  std::shared_ptr<Engine> engine;
  uint64_t number;
  Sequence sequence;
  std::shared_ptr<const Sampler> stateOwner; // whose state it is
  std::unique_ptr<SamplerState> state;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_SESSION_H
