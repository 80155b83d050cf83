//===- ChatTemplate.h - Messages to the prompt of a model -------*- C++ -*-===//
//
// [{user, "Hi"}]  =>  <|begin_of_text|><|start_header_id|>user<|end_header_id|>
//                     ... <|start_header_id|>assistant<|end_header_id|>
//
// Knows the layouts of the Llama family and recognizes them in the Jinja source
// that comes with a model; it does not run Jinja.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_CHATTEMPLATE_CHATTEMPLATE_H
#define LLAMA_RUNTIME_TEXT_CHATTEMPLATE_CHATTEMPLATE_H

#include "runtime/Text/Tokenizer/Tokenizer.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llamart {

struct ChatMessage {
  std::string role; ///< "system", "user", "assistant", where allowed others
  std::string content;
};

struct ChatOptions {
  /// Ends with the header of the reply to come.
  bool addGenerationPrompt = true;
  /// "26 Jul 2024", for templates that name today's; empty: that very date, so
  /// that a prompt does not depend on the day.
  std::string date;
  /// Texts of the tokenizer's tokens; empty: the usual ones of the layout.
  std::string bos, eos;
};

enum class ChatLayout : uint8_t {
  Llama2, ///< [INST] ... [/INST]
  Llama3, ///< <|start_header_id|>role<|end_header_id|>
  ChatML, ///< <|im_start|>role
};

class ChatTemplate {
public:
  /// The layout that a Jinja source describes. Throws Error (Argument) if it is
  /// none of ours.
  static ChatTemplate recognize(std::string_view jinja);

  /// By name, as in --chat-template=NAME. Throws Error (Argument) with the
  /// names there are.
  static ChatTemplate byName(std::string_view name);

  /// "llama2, llama3, llama3.1, ..."
  static std::string listNames();

  ChatLayout getLayout() const { return layout; }

  /// Whether ChatOptions::date matters.
  bool usesDate() const { return datedSystem; }

  /// Whether the template itself would ask the clock for it.
  bool asksClock() const { return readsClock; }

  /// The prompt in pieces, bos included where the layout has one. Give it to
  /// Tokenizer::encode(pieces). Throws Error (Argument) if the layout cannot
  /// hold these messages.
  std::vector<PromptPiece> format(std::span<const ChatMessage> messages,
                                  const ChatOptions &options = {}) const;

  /// Tokens that end a reply in this layout, for those models that do not list
  /// them among their eos tokens.
  std::vector<std::string> getStopTokens() const;

private:
  ChatLayout layout = ChatLayout::Llama3;
  bool startsWithBos = false; ///< the prompt begins with bos
  bool trimContent = false;   ///< white space around a content is dropped
  bool alwaysPrompts = false; ///< the reply's header whether asked for or not
  bool datedSystem = false;   ///< Llama 3.1: a system turn with a date
  bool readsClock = false;    ///< Llama 3.2: the date is today's
  std::string defaultSystem;  ///< system message where there is none

  friend struct ChatLayouts;
};

/// Ids of its stop tokens, as far as the tokenizer has them.
std::vector<int32_t> findStopTokens(const ChatTemplate &chatTemplate,
                                    const Tokenizer &tokenizer);

/// The pieces joined: the prompt as a text.
std::string joinPieces(std::span<const PromptPiece> pieces);

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_CHATTEMPLATE_CHATTEMPLATE_H
