//===- Prompt.cpp - What the model is given first -------------------------===//

#include "runtime/tools/generate/Prompt.h"

#include "runtime/tools/generate/Streams.h"

namespace llamart::tools {

std::string readPrompt(const GenerateOptions &o) {
  return o.promptFile ? readFile(*o.promptFile) : o.prompt.value_or("");
}

std::vector<int32_t> encodePrompt(const api::Model &model,
                                  const GenerateOptions &o,
                                  const std::string &text) {
  if (o.promptIds)
    return *o.promptIds;
  if (!o.chat) {
    llamart_encode_options options = LLAMART_ENCODE_OPTIONS;
    options.allow_special = o.special;
    return model.encode(text, options);
  }
  std::vector<api::Message> messages;
  if (o.system)
    messages.push_back({"system", *o.system});
  messages.push_back({"user", text});
  return encodeChat(model, messages, o);
}

std::vector<int32_t> encodeChat(const api::Model &model,
                                std::span<const api::Message> messages,
                                const GenerateOptions &o) {
  llamart_chat_options options = LLAMART_CHAT_OPTIONS;
  options.date = o.date ? o.date->c_str() : nullptr;
  options.template_name = o.chatTemplate ? o.chatTemplate->c_str() : nullptr;
  return model.encodeChat(messages, options);
}

} // namespace llamart::tools
