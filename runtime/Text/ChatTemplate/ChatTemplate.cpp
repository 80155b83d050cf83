//===- ChatTemplate.cpp - Messages to the prompt of a chat model ----------===//
//
// One writer per layout. Where a layout has an official Jinja source, the text
// is the same to the byte, for messages that have a role and a content only.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/ChatTemplate/ChatTemplate.h"

#include "runtime/Error.h"

#include <array>

namespace llamart {
namespace {

[[noreturn]] void fail(const std::string &message) {
  throw Error(ErrorKind::Argument, "chat template: ", message);
}

/// What Python's str.strip() and Jinja's trim drop: U+0009 to U+000D, U+001C to
/// U+0020, then these.
constexpr std::array<std::string_view, 19> kWideSpaces = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80",
    "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84",
    "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88",
    "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9",
    "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

bool isNarrowSpace(char c) {
  return (c >= '\t' && c <= '\r') || (c >= '\x1C' && c <= ' ');
}

size_t countSpaceInFront(std::string_view text) {
  if (!text.empty() && isNarrowSpace(text.front()))
    return 1;
  for (std::string_view space : kWideSpaces)
    if (text.starts_with(space))
      return space.size();
  return 0;
}

size_t countSpaceBehind(std::string_view text) {
  if (!text.empty() && isNarrowSpace(text.back()))
    return 1;
  for (std::string_view space : kWideSpaces)
    if (text.ends_with(space))
      return space.size();
  return 0;
}

std::string_view trim(std::string_view text) {
  while (size_t count = countSpaceInFront(text))
    text.remove_prefix(count);
  while (size_t count = countSpaceBehind(text))
    text.remove_suffix(count);
  return text;
}

/// Collects pieces; texts that follow each other become one.
struct PromptWriter {
  std::vector<PromptPiece> pieces;

  void text(std::string_view text) {
    if (text.empty())
      return;
    if (pieces.empty() || pieces.back().special)
      pieces.emplace_back();
    pieces.back().text += text;
  }

  void special(std::string_view token) {
    pieces.push_back({std::string(token), true});
  }
};

std::string orElse(const std::string &text, const char *otherwise) {
  return text.empty() ? otherwise : text;
}

} // namespace

/// The layouts; each writes a whole conversation.
struct ChatLayouts {
  const ChatTemplate &form;
  std::span<const ChatMessage> messages;
  const ChatOptions &options;
  PromptWriter out = {};

  std::string_view clean(std::string_view content) const {
    return form.trimContent ? trim(content) : content;
  }

  bool wantsReply() const {
    return options.addGenerationPrompt || form.alwaysPrompts;
  }

  //===------------------------------------------------------------------===//
  // <bos>[INST] <<SYS>>..<</SYS>>..user [/INST] assistant <eos><bos>[INST]..
  //===------------------------------------------------------------------===//

  void writeLlama2() {
    std::string system;
    if (messages[0].role == "system") {
      system = "<<SYS>>\n" + messages[0].content + "\n<</SYS>>\n\n";
      messages = messages.subspan(1);
    }
    if (messages.empty())
      fail("llama2: there is no user message");
    for (size_t i = 0; i < messages.size(); ++i) {
      const char *expected = i % 2 == 0 ? "user" : "assistant";
      if (messages[i].role != expected)
        fail("llama2: message " + std::to_string(i) +
             " after the system message: expected role '" + expected +
             "', found '" + messages[i].role + "'");
      std::string content = (i == 0 ? system : "") + messages[i].content;
      if (i % 2 == 0) {
        out.special(orElse(options.bos, "<s>"));
        out.text("[INST] ");
        out.text(trim(content));
        out.text(" [/INST]");
      } else {
        out.text(" ");
        out.text(trim(content));
        out.text(" ");
        out.special(orElse(options.eos, "</s>"));
      }
    }
  }

  //===------------------------------------------------------------------===//
  // <bos><|start_header_id|>user<|end_header_id|>\n\ncontent<|eot_id|>..
  //===------------------------------------------------------------------===//

  void writeHeader(std::string_view role) {
    out.special("<|start_header_id|>");
    out.text(role);
    out.special("<|end_header_id|>");
    out.text("\n\n");
  }

  void writeDatedSystem() {
    writeHeader("system");
    out.text("Cutting Knowledge Date: December 2023\nToday Date: ");
    out.text(orElse(options.date, "26 Jul 2024"));
    out.text("\n\n");
    if (messages[0].role == "system") {
      out.text(clean(messages[0].content));
      messages = messages.subspan(1);
    }
    out.special("<|eot_id|>");
  }

  void writeLlama3() {
    if (form.startsWithBos)
      out.special(orElse(options.bos, "<|begin_of_text|>"));
    if (form.datedSystem)
      writeDatedSystem();
    for (const ChatMessage &message : messages) {
      // Results of tools have a form of their own.
      if (message.role == "tool" || message.role == "ipython")
        fail("llama3: role '" + message.role + "' is not supported");
      writeHeader(message.role);
      out.text(clean(message.content));
      out.special("<|eot_id|>");
    }
    if (wantsReply())
      writeHeader("assistant");
  }

  //===------------------------------------------------------------------===//
  // <|im_start|>user\ncontent<|im_end|>\n..
  //===------------------------------------------------------------------===//

  void writeTurn(std::string_view role, std::string_view content) {
    out.special("<|im_start|>");
    out.text(role);
    out.text("\n");
    out.text(content);
    out.special("<|im_end|>");
    out.text("\n");
  }

  void writeChatML() {
    if (form.startsWithBos)
      out.special(orElse(options.bos, "<s>"));
    if (!form.defaultSystem.empty() && messages[0].role != "system")
      writeTurn("system", form.defaultSystem);
    for (const ChatMessage &message : messages)
      writeTurn(message.role, clean(message.content));
    if (!wantsReply())
      return;
    out.special("<|im_start|>");
    out.text("assistant\n");
  }
};

std::vector<PromptPiece>
ChatTemplate::format(std::span<const ChatMessage> messages,
                     const ChatOptions &options) const {
  if (messages.empty())
    fail("there is no message");
  for (const ChatMessage &message : messages)
    if (message.role.empty())
      fail("a message has no role");
  ChatLayouts layouts{*this, messages, options};
  switch (layout) {
  case ChatLayout::Llama2:
    layouts.writeLlama2();
    break;
  case ChatLayout::Llama3:
    layouts.writeLlama3();
    break;
  case ChatLayout::ChatML:
    layouts.writeChatML();
    break;
  }
  return std::move(layouts.out.pieces);
}

std::vector<std::string> ChatTemplate::getStopTokens() const {
  switch (layout) {
  case ChatLayout::Llama2:
    return {"</s>"};
  case ChatLayout::Llama3:
    return {"<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"};
  case ChatLayout::ChatML:
    return {"<|im_end|>"};
  }
  return {};
}

std::vector<int32_t> findStopTokens(const ChatTemplate &chatTemplate,
                                    const Tokenizer &tokenizer) {
  std::vector<int32_t> ids;
  for (const std::string &text : chatTemplate.getStopTokens())
    if (std::optional<int32_t> id = tokenizer.findToken(text))
      ids.push_back(*id);
  return ids;
}

std::string joinPieces(std::span<const PromptPiece> pieces) {
  std::string text;
  for (const PromptPiece &piece : pieces)
    text += piece.text;
  return text;
}

} // namespace llamart
