//===- Generate.h - Prompts to texts, several at a time ---------*- C++ -*-===//
//
// jobs: (session, prompt, sampler, when to stop)  =>  tokens and text, through
//       callbacks, as they come
//
// In every round the jobs share one eval of at most batchRows rows: those that
// generate have one row each, the rest goes to prompts in equal parts.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_GENERATE_GENERATE_H
#define LLAMA_RUNTIME_GENERATE_GENERATE_H

#include "runtime/Engine/Session.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llamart {

/// The same numbers as LLAMART_FINISH_* in llamart.h.
enum class Finish : int {
  None = 0,      ///< still running
  MaxTokens = 1, ///< as many tokens as asked for
  EndOfText = 2, ///< the model ended its reply; that token is the last
  StopText = 3,  ///< a stop string came; the text ends before it
  Context = 4,   ///< the model's context is full
  Callback = 5,  ///< a callback asked for it
};

struct GenerateJob {
  std::shared_ptr<Session> session;
  /// Fed first. May be empty if the session has logits to start from.
  std::span<const int32_t> prompt;
  std::shared_ptr<const Sampler> sampler;
  int64_t maxTokens = -1; ///< negative: until something else ends it
  std::vector<std::string> stops;
  bool ignoreEos = false;
  /// Whether the first token begins a text of its own (a chat reply): a space
  /// that the tokenizer puts before a text is dropped.
  bool startsText = false;

  // Callbacks; may be empty. Returning false ends the job.
  std::function<bool(int32_t id)> onToken;
  std::function<bool(std::string_view text)> onText; ///< never cuts a character
  /// Every row fed, prompt and generated, [rows, vocab].
  std::function<bool(const float *logits, int64_t rows)> onLogits;
  /// Before onToken; `position` is the token's.
  std::function<bool(int32_t id, int64_t position, const SampleTrace &trace)>
      onStep;

  // Results.
  int64_t generated = 0; ///< tokens sampled
  Finish finish = Finish::None;
};

/// Returns when all jobs are finished. Throws what Engine::eval throws; the
/// sessions then stand where the last eval left them.
void generate(Engine &engine, std::span<GenerateJob> jobs);

} // namespace llamart

#endif // LLAMA_RUNTIME_GENERATE_GENERATE_H
