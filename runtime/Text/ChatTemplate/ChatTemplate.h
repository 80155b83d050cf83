//===- ChatTemplate.h - Messages to the prompt of a model -------*- C++ -*-===//
//
// [{user, "Hi"}]  =>  <|begin_of_text|><|start_header_id|>user<|end_header_id|>
//                     ... <|start_header_id|>assistant<|end_header_id|>
//
// Runs the Jinja source that comes with a model, as transformers does
// (runtime/Text/Jinja). Which special tokens the prompt has is decided here:
//
//   A special token is one that the template writes. It begins with a byte of
//   the template's own text (or of bos_token and the like), and all its bytes
//   are of that or of a message's role. What a message says is text, whatever
//   it looks like.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_CHATTEMPLATE_CHATTEMPLATE_H
#define LLAMA_RUNTIME_TEXT_CHATTEMPLATE_CHATTEMPLATE_H

#include "runtime/Text/Jinja/Template.h"
#include "runtime/Text/Tokenizer/Tokenizer.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llamart {

struct ChatMessage {
  std::string role; ///< "system", "user", "assistant", where allowed others
  std::string content;
};

struct ChatOptions {
  /// Ends with the header of the reply to come.
  bool addGenerationPrompt = true;
  /// "26 Jul 2024" or "2024-07-26": `date_string`, and what strftime_now
  /// shows; empty: today, and no date_string.
  std::string date;
  /// Texts of the tokenizer's tokens; empty: not defined in the template.
  std::string bos, eos;
  /// Names and texts of more of them: unk_token, pad_token, ...
  std::vector<std::pair<std::string, std::string>> specialTokens;
  /// A JSON object of more variables: tools, documents, enable_thinking, ...;
  /// empty: none. They replace those of the same name but `messages`.
  std::string variables;
};

class ChatTemplate {
public:
  /// Throws Error (Argument): "chat template: line L, column C: ...".
  static ChatTemplate parse(std::string_view jinja);

  /// By name, as in --chat-template=NAME. Throws Error (Argument) with the
  /// names there are.
  static ChatTemplate byName(std::string_view name);

  /// "llama2, llama3, llama3.1, ..."
  static std::string listNames();

  /// The prompt, bos included where the template writes one. Throws Error
  /// (Argument), with the template's words where it raises.
  jinja::Text format(std::span<const ChatMessage> messages,
                     const ChatOptions &options = {}) const;

  /// The same of messages as JSON: a list of objects, with whatever keys the
  /// template looks at, or an object with that list as `messages`, whose other
  /// keys are variables.
  jinja::Text format(std::string_view messages,
                     const ChatOptions &options) const;

private:
  explicit ChatTemplate(jinja::Template program)
      : program(std::move(program)) {}
  jinja::Text render(const jinja::Value &messages,
                     const jinja::DictObject *given,
                     const ChatOptions &options) const;

  jinja::Template program;
};

/// Cuts a prompt at its special tokens, for Tokenizer::encode(pieces).
std::vector<PromptPiece> splitPrompt(const jinja::Text &prompt,
                                     const Tokenizer &tokenizer);

/// The first special token that the template writes after what an assistant
/// said: the reply ends with it. None if the template writes none, or cannot be
/// run with a question, its answer and another question.
std::vector<int32_t> findStopTokens(const ChatTemplate &chatTemplate,
                                    const Tokenizer &tokenizer);

/// Sets bos and eos to the tokenizer's, where they are empty.
void addTokens(ChatOptions &options, const Tokenizer &tokenizer);

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_CHATTEMPLATE_CHATTEMPLATE_H
