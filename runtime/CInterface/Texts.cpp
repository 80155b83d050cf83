//===- Texts.cpp - Tokenizer and chat in llamart.h ------------------------===//

#include "runtime/CInterface/Handles.h"

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

static SpecialText readSpecialText(int show) {
  return show ? SpecialText::Show : SpecialText::Hide;
}

llamart_error *llamart_decode(const llamart_model *model, const int32_t *ids,
                              size_t count, int showSpecial, char **text,
                              size_t *bytes) {
  return guarded([&] {
    require(model, "model");
    require(text, "text");
    require(bytes, "bytes");
    if (count > 0)
      require(ids, "ids");
    std::string result = model->model->getTokenizer().decode(
        {ids, count}, readSpecialText(showSpecial));
    *text = copyOut(result.data(), result.size());
    *bytes = result.size();
  });
}

llamart_error *llamart_decoder_create(const llamart_model *model, int afterText,
                                      int showSpecial,
                                      llamart_decoder **decoder) {
  return guarded([&] {
    require(model, "model");
    require(decoder, "decoder");
    StreamDecoder stream(model->model->getTokenizer(),
                         afterText ? StreamStart::AfterText
                                   : StreamStart::OfText,
                         readSpecialText(showSpecial));
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

static jinja::Text formatWith(const ChatTemplate &form,
                              const llamart_message *messages, size_t count,
                              const llamart_chat_options &given,
                              const ChatOptions &to) {
  if (given.messages_json)
    return form.format(std::string_view(given.messages_json), to);
  if (count > 0)
    require(messages, "messages");
  std::vector<ChatMessage> list;
  list.reserve(count);
  for (size_t i = 0; i < count; ++i)
    list.push_back({&require(messages[i].role, "llamart_message: role"),
                    &require(messages[i].content, "llamart_message: content")});
  return form.format(list, to);
}

static jinja::Text formatChat(const llamart_model *model,
                              const llamart_message *messages, size_t count,
                              const llamart_chat_options *options) {
  require(model, "model");
  auto given = readOptions<llamart_chat_options>(options, LLAMART_CHAT_OPTIONS,
                                                 "llamart_chat_options");
  ChatOptions to;
  to.addGenerationPrompt = given.add_generation_prompt;
  to.date = given.date ? given.date : "";
  to.variables = given.variables_json ? given.variables_json : "";
  for (const llamaabi::NamedText &token : model->model->getInfo().specialTokens)
    to.specialTokens.emplace_back(token.name, token.text);
  addTokens(to, model->model->getTokenizer());
  if (given.template_source)
    return formatWith(ChatTemplate::parse(given.template_source), messages,
                      count, given, to);
  if (given.template_name) {
    std::string_view own = model->model->findNamedTemplate(given.template_name);
    return formatWith(own.empty() ? ChatTemplate::byName(given.template_name)
                                  : ChatTemplate::parse(own),
                      messages, count, given, to);
  }
  return formatWith(model->model->getChatTemplate(), messages, count, given,
                    to);
}

llamart_error *llamart_chat_encode(const llamart_model *model,
                                   const llamart_message *messages,
                                   size_t count,
                                   const llamart_chat_options *options,
                                   int32_t **ids, size_t *idCount) {
  return guarded([&] {
    require(ids, "ids");
    require(idCount, "idCount");
    jinja::Text prompt = formatChat(model, messages, count, options);
    const Tokenizer &tokenizer = model->model->getTokenizer();
    std::vector<int32_t> result =
        tokenizer.encode(splitPrompt(prompt, tokenizer));
    *ids = copyOut(result.data(), result.size());
    *idCount = result.size();
  });
}

llamart_error *llamart_chat_format(const llamart_model *model,
                                   const llamart_message *messages,
                                   size_t count,
                                   const llamart_chat_options *options,
                                   char **text, size_t *bytes) {
  return guarded([&] {
    require(text, "text");
    require(bytes, "bytes");
    jinja::Text prompt = formatChat(model, messages, count, options);
    std::string_view result = prompt.bytes();
    *text = copyOut(result.data(), result.size());
    *bytes = result.size();
  });
}
