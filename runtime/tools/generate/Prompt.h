//===- Prompt.h - What the model is given first -----------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_PROMPT_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_PROMPT_H

#include "llamart/llamart.hpp"
#include "runtime/tools/generate/GenerateOptions.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace llamart::tools {

/// The text of --prompt or --prompt-file.
std::string readPrompt(const GenerateOptions &options);

/// The ids that the options ask for: given as they are, of that text, or of a
/// chat with it as the message.
std::vector<int32_t> encodePrompt(const api::Model &model,
                                  const GenerateOptions &options,
                                  const std::string &text);

/// Ids of a conversation in the layout the options ask for.
std::vector<int32_t> encodeChat(const api::Model &model,
                                std::span<const api::Message> messages,
                                const GenerateOptions &options);

/// Jinja source that --chat-template names; nothing: the model's own.
std::optional<std::string> findTemplate(const api::Model &model,
                                        const GenerateOptions &options);

/// --print-prompt: the prompt, or its ids on a line.
void printPrompt(const api::Model &model, const GenerateOptions &options);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_PROMPT_H
