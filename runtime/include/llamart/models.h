/*===- models.h - Opening a model.so -------------------------------- C -*-===*/

#ifndef LLAMART_MODELS_H
#define LLAMART_MODELS_H

#include "llamart/errors.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  LLAMART_WEIGHTS_MAPPED = 0, /* pages of the file, shared, read when touched */
  LLAMART_WEIGHTS_COPIED = 1, /* copied into huge pages: slower to open, a fifth
                                 faster to run where the mapping has none */
  LLAMART_WEIGHTS_AUTO = 2    /* mapped; copied once the first token is out */
};

typedef struct llamart_model_options {
  size_t struct_size;
  int32_t weights; /* LLAMART_WEIGHTS_* */
  int32_t reserved;

  /* LLAMART_WEIGHTS_COPIED: `done` goes from 0 to 1, on the calling thread.
   * Another result than 0 gives up: LLAMART_ERROR_CANCELLED. */
  int (*progress)(void *user, double done);
  void *user;
} llamart_model_options;

/* LLAMART_WEIGHTS_AUTO: an eval that follows one with logits, in any engine,
 * starts a thread of low priority that copies the weights; evals read the copy
 * when it is whole. None is made of less than 64 MB, where the system has no
 * huge pages, where it would leave less than a fifth of the memory available,
 * or in a process forked meanwhile: then they stay mapped. Closing the model
 * does not wait for it. */
#define LLAMART_MODEL_OPTIONS                                                  \
  {sizeof(llamart_model_options), LLAMART_WEIGHTS_MAPPED, 0, NULL, NULL}

/* Opens a model.so. It is code: opening one runs it. The file must stay what it
 * is while the model is open, for pages of it may be read at any time, and who
 * shortens it ends the process with SIGBUS: replace it by renaming another over
 * it. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_model_open(const char *path, const llamart_model_options *options,
                   llamart_model **model);

/* The very file behind a descriptor, as it was checked: one without a name, or
 * whose name is another file's by now. It needs /proc. The descriptor stays the
 * caller's and may be closed afterwards; a model whose weights are a file beside
 * it is refused. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_model_open_fd(int fd, const llamart_model_options *options,
                      llamart_model **model);

/* What `llama-compile --symbol-prefix=NAME` makes and a program is linked with:
 *   extern const llamart_linked_model NAME;
 * A program may have several. No file is opened and nothing is loaded. */
typedef struct llamart_linked_model llamart_linked_model;

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_model_open_linked(const llamart_linked_model *linked,
                          const llamart_model_options *options,
                          llamart_model **model);

LLAMART_API void llamart_model_close(llamart_model *model);

/* What a model says about itself. Pointers live as long as the model. */
typedef struct llamart_model_info {
  size_t struct_size; /* bytes that the library filled in */
  const char *name;
  int64_t hidden, ffn, vocab, layers;
  int64_t heads, kv_heads, head_dim;
  int64_t max_seq_len; /* positions a session may have */
  int32_t bos_token;   /* -1 if there is none */
  int32_t has_tokenizer;
  const int32_t *eos_tokens;
  size_t eos_count;
  uint64_t weights_bytes;
  uint64_t kv_block_bytes; /* of the cache, for 64 positions */
  const char *activations; /* "bf16", "f32" */
  const char *kv_type;
  const char *triple;
  const char *cpu;
  const char *compiler;      /* that built it */
  const char *chat_template; /* Jinja source, "" if there is none */
  const char *json;          /* all of it, tensors included */
  const char *fingerprint;   /* of all that decides bits: 64 hexadecimal digits;
                                "" if the compiler was too old to say */
  uint64_t thread_stack_bytes; /* that a forward call takes of a thread's stack;
                                  0: not known */
  int32_t rows_alike; /* 1: rows of prompts and of the model have the same bits,
                         so that LLAMART_FROM_* does not matter */
  int32_t reserved;
} llamart_model_info;

LLAMART_API const llamart_model_info *
llamart_model_get_info(const llamart_model *model);

/* Where the weights are now: LLAMART_WEIGHTS_MAPPED or _COPIED. The bits of
 * results do not depend on it. */
LLAMART_API int32_t llamart_model_get_weights(const llamart_model *model);

/* Whether a reply ends with this token: 1 or 0. */
LLAMART_API int llamart_model_ends_reply(const llamart_model *model,
                                         int32_t id);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLAMART_MODELS_H */
