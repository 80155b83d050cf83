//===- Texts.cpp - texts.h ------------------------------------------------===//

#include "runtime/CInterface/Handles.h"
#include "runtime/Text/ChatTemplate/ReplyParts.h"

#include <optional>
#include <utility>

using namespace llamart;

// The text that was last returned lives here.
struct llamart_decoder {
  std::shared_ptr<const Model> model; // the tokenizer's owner
  StreamDecoder decoder;
  std::string text;
};

static AddToken readAddToken(int32_t value, const char *field) {
  switch (value) {
  case LLAMART_ADD_BY_RULE:
    return AddToken::ByRule;
  case LLAMART_ADD_ALWAYS:
    return AddToken::Always;
  case LLAMART_ADD_NEVER:
    return AddToken::Never;
  default:
    throw Error(ErrorKind::Argument, "llamart_encode_options: ", field, " is ",
                value, ", expected LLAMART_ADD_BY_RULE, _ALWAYS or _NEVER");
  }
}

llamart_error *llamart_encode(const llamart_model *model, const char *text,
                              size_t bytes,
                              const llamart_encode_options *options,
                              int32_t **ids, size_t *count) {
  return guarded([&] {
    require(model, "model");
    require(ids, "ids");
    require(count, "count");
    if (bytes > 0)
      require(text, "text");
    auto given = readOptions<llamart_encode_options>(
        options, LLAMART_ENCODE_OPTIONS, "llamart_encode_options");
    checkReserved(given.reserved, "llamart_encode_options");
    EncodeOptions to;
    to.bos = readAddToken(given.bos, "bos");
    to.eos = readAddToken(given.eos, "eos");
    to.allowSpecial = given.allow_special;
    std::vector<int32_t> result =
        model->model->getTokenizer().encode({text, bytes}, to);
    *ids = copyOut(result.data(), result.size());
    *count = result.size();
  });
}

// How a text begins, and whether control tokens are in it.
static std::pair<StreamStart, SpecialText>
readDecodeOptions(const llamart_decode_options *options) {
  auto given = readOptions<llamart_decode_options>(
      options, LLAMART_DECODE_OPTIONS, "llamart_decode_options");
  return {given.after_text ? StreamStart::AfterText : StreamStart::OfText,
          given.show_special ? SpecialText::Show : SpecialText::Hide};
}

llamart_error *llamart_decode(const llamart_model *model, const int32_t *ids,
                              size_t count,
                              const llamart_decode_options *options,
                              char **text, size_t *bytes) {
  return guarded([&] {
    require(model, "model");
    require(text, "text");
    require(bytes, "bytes");
    if (count > 0)
      require(ids, "ids");
    auto [start, special] = readDecodeOptions(options);
    const Tokenizer &tokenizer = model->model->getTokenizer();
    std::string result;
    if (start == StreamStart::OfText) {
      result = tokenizer.decode({ids, count}, special);
    } else {
      StreamDecoder decoder(tokenizer, start, special);
      for (size_t i = 0; i < count; ++i)
        result += decoder.push(ids[i]);
      result += decoder.finish();
    }
    *text = copyOut(result.data(), result.size());
    *bytes = result.size();
  });
}

llamart_error *llamart_decoder_create(const llamart_model *model,
                                      const llamart_decode_options *options,
                                      llamart_decoder **decoder) {
  return guarded([&] {
    require(model, "model");
    require(decoder, "decoder");
    auto [start, special] = readDecodeOptions(options);
    StreamDecoder stream(model->model->getTokenizer(), start, special);
    *decoder = new llamart_decoder{model->model, std::move(stream), ""};
  });
}

static void returnText(llamart_decoder &decoder, std::string next,
                       const char **text, size_t *bytes) {
  decoder.text = std::move(next);
  *text = decoder.text.c_str();
  if (bytes)
    *bytes = decoder.text.size();
}

llamart_error *llamart_decoder_push(llamart_decoder *decoder, int32_t id,
                                    const char **text, size_t *bytes) {
  return guarded([&] {
    require(decoder, "decoder");
    require(text, "text");
    returnText(*decoder, decoder->decoder.push(id), text, bytes);
  });
}

llamart_error *llamart_decoder_finish(llamart_decoder *decoder,
                                      const char **text, size_t *bytes) {
  return guarded([&] {
    require(decoder, "decoder");
    require(text, "text");
    returnText(*decoder, decoder->decoder.finish(), text, bytes);
  });
}

void llamart_decoder_close(llamart_decoder *decoder) { delete decoder; }

//===----------------------------------------------------------------------===//
// Chat
//===----------------------------------------------------------------------===//

namespace {

/// A conversation as it is given: one or the other.
struct Conversation {
  std::vector<ChatMessage> messages;
  std::optional<std::string_view> json;

  jinja::Text format(const ChatTemplate &form, const ChatOptions &to) const {
    return json ? form.format(*json, to) : form.format(messages, to);
  }
};

} // namespace

static Conversation readMessages(const llamart_message *messages,
                                 size_t count) {
  if (count > 0)
    require(messages, "messages");
  Conversation result;
  for (size_t i = 0; i < count; ++i)
    forItem(int64_t(i), [&] {
      result.messages.push_back(
          {&require(messages[i].role, "llamart_message: role"),
           &require(messages[i].content, "llamart_message: content")});
    });
  return result;
}

static Conversation readJson(const char *json, size_t bytes) {
  return {{}, std::string_view(&require(json, "json"), bytes)};
}

static jinja::Text formatChat(const llamart_model *model,
                              const Conversation &conversation,
                              const llamart_chat_options *options) {
  require(model, "model");
  auto given = readOptions<llamart_chat_options>(options, LLAMART_CHAT_OPTIONS,
                                                 "llamart_chat_options");
  checkReserved(given.reserved, "llamart_chat_options");
  ChatOptions to;
  to.addGenerationPrompt = given.add_generation_prompt;
  to.date = given.date ? given.date : "";
  to.variables = given.variables_json ? given.variables_json : "";
  for (const llamaabi::NamedText &token : model->model->getInfo().specialTokens)
    to.specialTokens.emplace_back(token.name, token.text);
  addTokens(to, model->model->getTokenizer());
  if (given.template_source)
    return conversation.format(ChatTemplate::parse(given.template_source), to);
  if (given.template_name) {
    std::string_view own = model->model->findNamedTemplate(given.template_name);
    return conversation.format(own.empty()
                                   ? ChatTemplate::byName(given.template_name)
                                   : ChatTemplate::parse(own),
                               to);
  }
  return conversation.format(model->model->getChatTemplate(), to);
}

static void encodeChat(const llamart_model *model,
                       const Conversation &conversation,
                       const llamart_chat_options *options, int32_t **ids,
                       size_t *idCount) {
  require(ids, "ids");
  require(idCount, "idCount");
  jinja::Text prompt = formatChat(model, conversation, options);
  const Tokenizer &tokenizer = model->model->getTokenizer();
  std::vector<int32_t> result =
      tokenizer.encode(splitPrompt(prompt, tokenizer));
  *ids = copyOut(result.data(), result.size());
  *idCount = result.size();
}

static void formatText(const llamart_model *model,
                       const Conversation &conversation,
                       const llamart_chat_options *options, char **text,
                       size_t *bytes) {
  require(text, "text");
  require(bytes, "bytes");
  jinja::Text prompt = formatChat(model, conversation, options);
  std::string_view result = prompt.bytes();
  *text = copyOut(result.data(), result.size());
  *bytes = result.size();
}

llamart_error *llamart_chat_encode(const llamart_model *model,
                                   const llamart_message *messages,
                                   size_t count,
                                   const llamart_chat_options *options,
                                   int32_t **ids, size_t *idCount) {
  return guarded([&] {
    encodeChat(model, readMessages(messages, count), options, ids, idCount);
  });
}

llamart_error *llamart_chat_format(const llamart_model *model,
                                   const llamart_message *messages,
                                   size_t count,
                                   const llamart_chat_options *options,
                                   char **text, size_t *bytes) {
  return guarded([&] {
    formatText(model, readMessages(messages, count), options, text, bytes);
  });
}

llamart_error *llamart_chat_encode_json(const llamart_model *model,
                                        const char *json, size_t jsonBytes,
                                        const llamart_chat_options *options,
                                        int32_t **ids, size_t *idCount) {
  return guarded([&] {
    encodeChat(model, readJson(json, jsonBytes), options, ids, idCount);
  });
}

llamart_error *llamart_chat_format_json(const llamart_model *model,
                                        const char *json, size_t jsonBytes,
                                        const llamart_chat_options *options,
                                        char **text, size_t *bytes) {
  return guarded([&] {
    formatText(model, readJson(json, jsonBytes), options, text, bytes);
  });
}

llamart_error *llamart_chat_parse(const llamart_model *model, const char *text,
                                  size_t bytes, char **json,
                                  size_t *jsonBytes) {
  return guarded([&] {
    require(model, "model");
    if (bytes > 0)
      require(text, "text");
    require(json, "json");
    require(jsonBytes, "jsonBytes");
    std::string message = parseReply({text, bytes});
    *json = copyOut(message.data(), message.size());
    *jsonBytes = message.size();
  });
}
