/*===- texts.h - Texts and chats to token ids and back -------------- C -*-===//
 *
 * A model without a tokenizer makes these fail.
 *
 *===----------------------------------------------------------------------===*/

#ifndef LLAMART_TEXTS_H
#define LLAMART_TEXTS_H

#include "llamart/errors.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  LLAMART_ADD_BY_RULE = 0, /* as the tokenizer says */
  LLAMART_ADD_ALWAYS = 1,
  LLAMART_ADD_NEVER = 2
};

typedef struct llamart_encode_options {
  size_t struct_size;
  int32_t bos;           /* LLAMART_ADD_* */
  int32_t eos;           /* LLAMART_ADD_* */
  int32_t allow_special; /* "<|eot_id|>" is that token, not a text */
  int32_t reserved;
} llamart_encode_options;

#define LLAMART_ENCODE_OPTIONS                                                 \
  {sizeof(llamart_encode_options), LLAMART_ADD_BY_RULE, LLAMART_ADD_NEVER, 0, 0}

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_encode(const llamart_model *model, const char *text, size_t bytes,
               const llamart_encode_options *options, int32_t **ids,
               size_t *count);

typedef struct llamart_decode_options {
  size_t struct_size;
  int32_t after_text;   /* the ids continue a text, as a reply does a prompt */
  int32_t show_special; /* control tokens have a text, too */
} llamart_decode_options;

#define LLAMART_DECODE_OPTIONS {sizeof(llamart_decode_options), 0, 0}

/* The text of ids, `bytes` long and ended by a zero byte. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_decode(const llamart_model *model, const int32_t *ids, size_t count,
               const llamart_decode_options *options, char **text,
               size_t *bytes);

/* Turns ids into text one at a time and never cuts a character. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_decoder_create(const llamart_model *model,
                       const llamart_decode_options *options,
                       llamart_decoder **decoder);

/* The text that this id completes, often empty. `text` is ended by a zero byte
 * and lives until the next call. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_decoder_push(llamart_decoder *decoder, int32_t id, const char **text,
                     size_t *bytes);

/* The end: bytes of an unfinished character, as U+FFFD. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_decoder_finish(llamart_decoder *decoder, const char **text,
                       size_t *bytes);

LLAMART_API void llamart_decoder_close(llamart_decoder *decoder);

/*===----------------------------------------------------------------------===
 * Chats
 *===----------------------------------------------------------------------===*/

typedef struct llamart_message {
  const char *role; /* "system", "user", "assistant" */
  const char *content;
} llamart_message;

typedef struct llamart_chat_options {
  size_t struct_size;
  int32_t add_generation_prompt; /* ends with the header of the reply */
  int32_t reserved;
  const char *date;            /* "26 Jul 2024"; NULL: the template's own */
  const char *template_name;   /* one of the model's by name, "llama3", ...;
                                  NULL: the model's own */
  const char *template_source; /* Jinja source in place of both; or NULL */
  const char *variables_json;  /* a JSON object of more variables: "tools",
                                  "enable_thinking", ...; or NULL */
} llamart_chat_options;

#define LLAMART_CHAT_OPTIONS                                                   \
  {sizeof(llamart_chat_options), 1, 0, NULL, NULL, NULL, NULL}

/* The ids of a conversation in the layout the model was trained on. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_chat_encode(const llamart_model *model, const llamart_message *messages,
                    size_t count, const llamart_chat_options *options,
                    int32_t **ids, size_t *id_count);

/* The same as a text. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_chat_format(const llamart_model *model, const llamart_message *messages,
                    size_t count, const llamart_chat_options *options,
                    char **text, size_t *bytes);

/* The same of a conversation in JSON, as OpenAI's chat completions have it: a
 * list of messages, or an object with "messages" and more variables of the
 * template ("tools"). */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_chat_encode_json(const llamart_model *model, const char *json,
                         size_t json_bytes, const llamart_chat_options *options,
                         int32_t **ids, size_t *id_count);
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_chat_format_json(const llamart_model *model, const char *json,
                         size_t json_bytes, const llamart_chat_options *options,
                         char **text, size_t *bytes);

/* A reply's parts, as a message in the same shape: {"role": "assistant",
 * "content": ..., "tool_calls": [{"type": "function", "function": {"name": ...,
 * "arguments": "{...}"}}, ...]}. Tool calls are found in the forms that Llama
 * 3.1 to 3.3 were taught: one JSON object or several with "name" and
 * "parameters", and <function=NAME>{...}</function>. Whatever is in none of
 * them is content; "content" is null and "tool_calls" absent where there are
 * none. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_chat_parse(const llamart_model *model, const char *text, size_t bytes,
                   char **json, size_t *json_bytes);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLAMART_TEXTS_H */
