//===- Conversation.h - A chat, line by line --------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_CONVERSATION_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_CONVERSATION_H

#include "llamart/llamart.hpp"
#include "runtime/tools/generate/GenerateOptions.h"

namespace llamart::tools {

/// Reads messages and commands from standard input until it ends. What was said
/// stays in the session's cache. Ctrl-C stops a reply.
void converse(const api::Model &model, api::Engine &engine,
              const api::Sampler &sampler, const GenerateOptions &options);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_CONVERSATION_H
