//===- Prompt.cpp - What the model is given first -------------------------===//

#include "runtime/tools/generate/Prompt.h"

#include "runtime/CInterface/Handles.h"
#include "runtime/Error.h"
#include "runtime/Text/ChatTemplate/BuiltinTemplates.h"
#include "runtime/tools/generate/Streams.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace llamart::tools {

std::string readPrompt(const GenerateOptions &o) {
  return o.promptFile ? readFile(*o.promptFile) : o.prompt.value_or("");
}

/// The message that the text is; none with --messages.
static std::vector<api::Message> readMessages(const GenerateOptions &o,
                                              const std::string &text) {
  std::vector<api::Message> messages;
  if (o.system)
    messages.push_back({"system", *o.system});
  if (!o.messages)
    messages.push_back({"user", text});
  return messages;
}

std::optional<std::string> findTemplate(const api::Model &model,
                                        const GenerateOptions &o) {
  if (!o.chatTemplate)
    return std::nullopt;
  if (o.chatTemplate->ends_with(".jinja"))
    return readFile(*o.chatTemplate);
  const Model &opened = *model.get()->model;
  std::string source(opened.findNamedTemplate(*o.chatTemplate));
  if (source.empty())
    source = findBuiltinTemplate(*o.chatTemplate);
  if (!source.empty())
    return source;
  std::string names;
  for (const llamaabi::NamedText &known : opened.getInfo().chatTemplates)
    names += known.name + ", ";
  throw Error(ErrorKind::Argument, "chat template: there is none named '",
              *o.chatTemplate, "'; choose one of ", names,
              listBuiltinTemplates(), ", or a file FILE.jinja");
}

/// The pairs NAME=JSON as one object.
static std::string joinVariables(const GenerateOptions &o) {
  std::string object;
  for (const std::string &option : o.templateOptions) {
    size_t equals = option.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(ErrorKind::Argument,
                  "--template-option: expected NAME=JSON, "
                  "found '",
                  option, "'");
    object += (object.empty() ? "{" : ",") +
              nlohmann::json(option.substr(0, equals)).dump() + ":" +
              option.substr(equals + 1);
  }
  return object.empty() ? object : object + "}";
}

/// What llamart_chat_options points to.
struct ChatRequest {
  ChatRequest(const api::Model &model, const GenerateOptions &o)
      : source(findTemplate(model, o)), variables(joinVariables(o)) {
    if (o.messages)
      messages = readFile(*o.messages);
    options.date = o.date ? o.date->c_str() : nullptr;
    options.template_source = source ? source->c_str() : nullptr;
    options.variables_json = variables.empty() ? nullptr : variables.c_str();
  }
  ChatRequest(const ChatRequest &) = delete;
  ChatRequest &operator=(const ChatRequest &) = delete;

  std::optional<std::string> source;
  std::string variables, messages;
  llamart_chat_options options = LLAMART_CHAT_OPTIONS;
};

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
  ChatRequest request(model, o);
  if (o.messages)
    return model.encodeChat(request.messages, request.options);
  return model.encodeChat(readMessages(o, text), request.options);
}

std::vector<int32_t> encodeChat(const api::Model &model,
                                std::span<const api::Message> messages,
                                const GenerateOptions &o) {
  return model.encodeChat(messages, ChatRequest(model, o).options);
}

void printPrompt(const api::Model &model, const GenerateOptions &o) {
  if (o.printIds) {
    std::string line;
    for (int32_t id : encodePrompt(model, o, readPrompt(o)))
      line += (line.empty() ? "" : ",") + std::to_string(id);
    print(line + "\n");
  } else if (o.chat) {
    ChatRequest request(model, o);
    print(o.messages ? model.formatChat(request.messages, request.options)
                     : model.formatChat(readMessages(o, readPrompt(o)),
                                        request.options));
  } else {
    print(model.decode(encodePrompt(model, o, readPrompt(o)), true));
  }
}

} // namespace llamart::tools
