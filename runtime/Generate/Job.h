//===- Job.h - A prompt and what is to become of it -------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_GENERATE_JOB_H
#define LLAMA_RUNTIME_GENERATE_JOB_H

#include "runtime/Engine/Session.h"
#include "runtime/Error.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  Cancelled = 6, ///< a flag was set, the ticket or the queue ended
  Error = 7,     ///< GenerateResult::error says which
};

/// A token that was chosen, or is in the prompt, and what the logits before it
/// say of it. Views live during the callback.
struct GenerateStep {
  int32_t id = 0;
  int64_t position = 0;
  std::span<const float> logits; ///< [vocab]
  const SampleTrace *trace = nullptr;
};

struct GenerateResult {
  Finish finish = Finish::None;
  int64_t promptTokens = 0; ///< that are fed
  int64_t cachedTokens = 0; ///< of those, found among past beginnings
  int64_t generated = 0;    ///< tokens chosen; the last of them is not fed
  int64_t queueNs = 0, promptNs = 0, decodeNs = 0;
  std::optional<Error> error;
};

struct GenerateJob {
  std::shared_ptr<Session> session; ///< null: one is made
  SessionOptions sessionOptions;    ///< with these
  std::shared_ptr<const Sampler> sampler;
  /// Fed first. May be empty if the session has logits to start from.
  std::vector<int32_t> prompt;
  int64_t maxTokens = -1; ///< negative: until something else ends it
  std::vector<std::string> stops;
  bool ignoreEos = false;
  /// Whether the first token begins a text of its own (a chat reply): a space
  /// that the tokenizer puts before a text is dropped.
  bool startsText = false;
  std::shared_ptr<const CancelFlag> cancel; ///< may be null

  // Callbacks; may be empty. Returning false ends the job.
  std::function<bool(int32_t id)> onToken;
  std::function<bool(std::string_view text)> onText; ///< never cuts a character
  /// Every row fed, prompt and generated, [rows, vocab].
  std::function<bool(const float *logits, int64_t rows)> onLogits;
  /// Before onToken.
  std::function<bool(const GenerateStep &step)> onStep;
  /// Each token of the prompt that has one before it.
  std::function<bool(const GenerateStep &step)> onPromptStep;
  /// The last one.
  std::function<void(const GenerateResult &result)> onFinish;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_GENERATE_JOB_H
