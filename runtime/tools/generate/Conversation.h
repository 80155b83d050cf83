//===- Conversation.h - Chats in a model's layout, and by line --*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_CONVERSATION_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_CONVERSATION_H

#include "llamart/llamart.hpp"
#include "runtime/tools/generate/GenerateOptions.h"

#include <cstdint>
#include <span>
#include <vector>

namespace llamart::tools {

/// Ids of a conversation in the layout the options ask for.
std::vector<int32_t> encodeChat(const api::Model &model,
                                std::span<const api::Message> messages,
                                const GenerateOptions &options);

/// Tokens that end a reply in the layout of --chat-template, none without it.
std::vector<int32_t> findReplyEnds(const api::Model &model,
                                   const GenerateOptions &options);

/// Reads messages and commands from standard input until it ends. What was said
/// stays in the session's cache. Ctrl-C stops a reply.
void converse(const api::Model &model, api::Engine &engine,
              const api::Sampler &sampler, const GenerateOptions &options);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_CONVERSATION_H
