//===- SamplerMemory.h - What a sampler remembers of a session --*- C++ -*-===//
//
// The state now, and as it was before the last choices: a session that is cut
// goes on as it did at that length.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_SAMPLERMEMORY_H
#define LLAMA_RUNTIME_ENGINE_SAMPLERMEMORY_H

#include "runtime/Sampler/Sampler.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace llamart {

class SamplerMemory {
public:
  /// Choices that can be taken back.
  static constexpr size_t kChoices = 16;

  /// The state, made anew for another sampler than before; null if that one
  /// remembers nothing. To be shown logits of a prompt up to `length`.
  SamplerState *getForPrompt(const std::shared_ptr<const Sampler> &sampler,
                             int64_t length);

  /// The same, for the choice of the token at `position`.
  SamplerState *getForChoice(const std::shared_ptr<const Sampler> &sampler,
                             int64_t position);

  /// Takes back what was seen and chosen from position `length` on; if that is
  /// not known any more, forgets all.
  void truncate(int64_t length);

  SamplerMemory clone() const;

  /// What the same sampler can go on from elsewhere; empty if nothing is
  /// remembered. Throws Error(Unsupported) if its state cannot be saved.
  std::string save() const;
  /// For the sampler that is used next: what it saved, of a session of `length`
  /// positions.
  void restore(std::string newSaved, int64_t length);

private:
  struct Choice {
    int64_t position; // of the token that was chosen
    std::unique_ptr<SamplerState> before;
  };
  SamplerState *get(const std::shared_ptr<const Sampler> &sampler);

  std::shared_ptr<const Sampler> owner; // whose state it is
  std::unique_ptr<SamplerState> state;
  std::deque<Choice> choices; // of rising positions
  int64_t certain = 0; // from that length on, what was seen can be taken back
  std::string saved;   // not yet taken up by a sampler
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_SAMPLERMEMORY_H
