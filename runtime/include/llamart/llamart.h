/*===- llamart.h - Opens a model.so and generates text -------------- C -*-===//
 *
 *   llamart_model     an open model.so; immutable, shared by engines
 *   llamart_engine    threads, KV cache, workspace: runs forward calls
 *   llamart_session   one sequence of tokens in an engine
 *   llamart_sampler   a recipe for choosing tokens; immutable, shared
 *
 * Rules of the interface:
 *
 *   I1  A function that can fail returns a llamart_error, NULL if all went
 *       well. After an error, what the function was to make is untouched, and
 *       so is every session.
 *   I2  A struct of options begins with struct_size. Initialize it with its
 *       macro (llamart_engine_options o = LLAMART_ENGINE_OPTIONS;) and change
 *       what you want. NULL in its place means the macro's values.
 *   I3  Handles may be closed in any order; NULL may be closed. What a handle
 *       needs of another one lives as long as it does. No thread and no mapping
 *       is left once all are closed. What is asked of NULL is 0 or NULL.
 *   I4  Models and samplers may be used by several threads at once. So may
 *       engines and different sessions of one: their evals take turns. One
 *       session or decoder is for one thread at a time.
 *   I5  The library has no global state, writes nothing to standard streams and
 *       never ends the process. What a callback throws is an error of kind
 *       LLAMART_ERROR_CALLBACK.
 *   I6  Strings are UTF-8. Arrays and texts that are returned through a pointer
 *       to a pointer are freed with llamart_free.
 *   I7  An engine's threads are in the process that made it. After fork() an
 *       eval in the child is LLAMART_ERROR_SYSTEM, never a wait, unless the
 *       engine has one thread or an executor, and was idle; the child makes an
 *       engine of its own. Open models and samplers stay usable, and all
 *       handles may be closed.
 *
 *===----------------------------------------------------------------------===*/

#ifndef LLAMART_H
#define LLAMART_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LLAMART_API __attribute__((visibility("default")))

typedef struct llamart_error llamart_error;
typedef struct llamart_model llamart_model;
typedef struct llamart_engine llamart_engine;
typedef struct llamart_session llamart_session;
typedef struct llamart_sampler llamart_sampler;
typedef struct llamart_decoder llamart_decoder;

/* "0.1.0" */
LLAMART_API const char *llamart_version(void);

/* Frees what a function returned through a pointer to a pointer. */
LLAMART_API void llamart_free(void *memory);

/*===----------------------------------------------------------------------===
 * Errors
 *===----------------------------------------------------------------------===*/

enum {
  LLAMART_ERROR_ARGUMENT = 1, /* the call is wrong: NULL, an id out of range */
  LLAMART_ERROR_MODEL = 2,    /* the model file cannot be used here */
  LLAMART_ERROR_CONTEXT = 3,  /* a sequence longer than the model's context */
  LLAMART_ERROR_MEMORY = 4,   /* the cache's budget or memory is used up */
  LLAMART_ERROR_SYSTEM = 5,   /* the operating system or an executor refused */
  LLAMART_ERROR_CALLBACK = 6  /* a callback threw */
};

/* 0 of NULL. */
LLAMART_API int llamart_error_kind(const llamart_error *error);

/* One line without a newline. Lives as long as the error. */
LLAMART_API const char *llamart_error_message(const llamart_error *error);

LLAMART_API void llamart_error_free(llamart_error *error);

/*===----------------------------------------------------------------------===
 * Models
 *===----------------------------------------------------------------------===*/

enum {
  LLAMART_WEIGHTS_MAPPED = 0, /* pages of the file, shared, read when touched */
  LLAMART_WEIGHTS_COPIED = 1, /* copied into huge pages: slower to open, a fifth
                                 faster to run where the mapping has none */
  LLAMART_WEIGHTS_AUTO = 2    /* mapped; copied once the first token is out */
};

typedef struct llamart_model_options {
  size_t struct_size;
  int32_t weights; /* LLAMART_WEIGHTS_* */
} llamart_model_options;

/* LLAMART_WEIGHTS_AUTO: an eval that follows one with logits, in any engine,
 * starts a thread of low priority that copies the weights; evals read the copy
 * when it is whole. None is made of less than 64 MB, where the system has no
 * huge pages, where it would leave less than a fifth of the memory available,
 * or in a process forked meanwhile: then they stay mapped. Closing the model
 * does not wait for it. */
#define LLAMART_MODEL_OPTIONS                                                  \
  {sizeof(llamart_model_options), LLAMART_WEIGHTS_MAPPED}

/* Opens a model.so. The file must stay what it is while the model is open, for
 * pages of it may be read at any time, and who shortens it ends the process
 * with SIGBUS: replace it by renaming another over it. */
LLAMART_API llamart_error *
llamart_model_open(const char *path, const llamart_model_options *options,
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
} llamart_model_info;

LLAMART_API const llamart_model_info *
llamart_model_get_info(const llamart_model *model);

/* Where the weights are now: LLAMART_WEIGHTS_MAPPED or _COPIED. The bits of
 * results do not depend on it. */
LLAMART_API int32_t llamart_model_get_weights(const llamart_model *model);

/* Whether a reply ends with this token: 1 or 0. */
LLAMART_API int llamart_model_ends_reply(const llamart_model *model,
                                         int32_t id);

/*===----------------------------------------------------------------------===
 * Text. A model without a tokenizer makes these fail.
 *===----------------------------------------------------------------------===*/

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
} llamart_encode_options;

#define LLAMART_ENCODE_OPTIONS                                                 \
  {sizeof(llamart_encode_options), LLAMART_ADD_BY_RULE, LLAMART_ADD_NEVER, 0}

LLAMART_API llamart_error *llamart_encode(const llamart_model *model,
                                          const char *text, size_t bytes,
                                          const llamart_encode_options *options,
                                          int32_t **ids, size_t *count);

/* The text of ids, `bytes` long and ended by a zero byte. Control tokens have
 * no text unless `show_special`. */
LLAMART_API llamart_error *llamart_decode(const llamart_model *model,
                                          const int32_t *ids, size_t count,
                                          int show_special, char **text,
                                          size_t *bytes);

/* Turns ids into text one at a time and never cuts a character. `after_text`:
 * the ids continue a text, as a reply does a prompt. */
LLAMART_API llamart_error *llamart_decoder_create(const llamart_model *model,
                                                  int after_text,
                                                  int show_special,
                                                  llamart_decoder **decoder);

/* The text that this id completes, often empty. `text` is ended by a zero byte
 * and lives until the next call. */
LLAMART_API llamart_error *llamart_decoder_push(llamart_decoder *decoder,
                                                int32_t id, const char **text,
                                                size_t *bytes);

/* The end: bytes of an unfinished character, as U+FFFD. */
LLAMART_API llamart_error *llamart_decoder_finish(llamart_decoder *decoder,
                                                  const char **text,
                                                  size_t *bytes);

LLAMART_API void llamart_decoder_close(llamart_decoder *decoder);

typedef struct llamart_message {
  const char *role; /* "system", "user", "assistant" */
  const char *content;
} llamart_message;

typedef struct llamart_chat_options {
  size_t struct_size;
  int32_t add_generation_prompt; /* ends with the header of the reply */
  const char *date;              /* "26 Jul 2024"; NULL: the template's own */
  const char *template_name;     /* one of the model's by name, "llama3", ...;
                                    NULL: the model's own */
  const char *template_source;   /* Jinja source in place of both; or NULL */
  const char *variables_json;    /* a JSON object of more variables: "tools",
                                    "enable_thinking", ...; or NULL */
  const char *messages_json;     /* in place of the messages given: a JSON list
                                    of them, or an object with "messages" and
                                    more variables; or NULL */
} llamart_chat_options;

#define LLAMART_CHAT_OPTIONS                                                   \
  {sizeof(llamart_chat_options), 1, NULL, NULL, NULL, NULL, NULL}

/* The ids of a conversation in the layout the model was trained on. */
LLAMART_API llamart_error *
llamart_chat_encode(const llamart_model *model, const llamart_message *messages,
                    size_t count, const llamart_chat_options *options,
                    int32_t **ids, size_t *id_count);

/* The same as a text. */
LLAMART_API llamart_error *
llamart_chat_format(const llamart_model *model, const llamart_message *messages,
                    size_t count, const llamart_chat_options *options,
                    char **text, size_t *bytes);

/*===----------------------------------------------------------------------===
 * Engines
 *===----------------------------------------------------------------------===*/

/* Must be called with every thread number below `threads`. */
typedef void (*llamart_task)(void *argument, int32_t thread);

/* Threads of the application in place of the library's. */
typedef struct llamart_executor {
  size_t struct_size;
  int32_t threads; /* at least 1 */

  /* Calls task(argument, 0 .. threads - 1) and returns when all have returned:
   * at the same time, to be fast, but none waits for one that has not begun.
   * Another result than 0 says that it could not; the eval then fails. Must not
   * call the engine. */
  int (*run)(void *user, llamart_task task, void *argument, int32_t threads);
  void *user;
} llamart_executor;

typedef struct llamart_engine_options {
  size_t struct_size;
  int32_t threads;    /* 0: the physical cores the process may use, fewer
                         where a model is too small for them */
  int32_t batch_rows; /* rows of one forward call at most */
  uint64_t kv_bytes;  /* budget of the KV cache; 0: half of the memory */
  const llamart_executor *executor; /* NULL: threads of the library's own */
} llamart_engine_options;

#define LLAMART_ENGINE_OPTIONS {sizeof(llamart_engine_options), 0, 256, 0, NULL}

LLAMART_API llamart_error *
llamart_engine_create(const llamart_model *model,
                      const llamart_engine_options *options,
                      llamart_engine **engine);

/* Its threads end when its sessions are closed too. */
LLAMART_API void llamart_engine_close(llamart_engine *engine);

LLAMART_API int32_t llamart_engine_threads(const llamart_engine *engine);

/* Bytes of the KV cache that sessions hold, and of its budget. */
LLAMART_API uint64_t llamart_engine_kv_used(llamart_engine *engine);
LLAMART_API uint64_t llamart_engine_kv_budget(llamart_engine *engine);

/*===----------------------------------------------------------------------===
 * Sessions
 *===----------------------------------------------------------------------===*/

/* `number` names the sequence for random numbers: sessions with the same seed,
 * text and number draw the same tokens. */
LLAMART_API llamart_error *llamart_session_create(llamart_engine *engine,
                                                  uint64_t number,
                                                  llamart_session **session);

/* A second session with the same past, logits and sampler state. Costs no
 * memory until one of the two grows. */
LLAMART_API llamart_error *llamart_session_fork(const llamart_session *session,
                                                uint64_t number,
                                                llamart_session **fork);

/* Forgets the positions from `length` on, and the logits. */
LLAMART_API llamart_error *llamart_session_truncate(llamart_session *session,
                                                    int64_t length);

/* Forgets everything: truncates to 0. */
LLAMART_API llamart_error *llamart_session_reset(llamart_session *session);

LLAMART_API void llamart_session_close(llamart_session *session);

/* Positions fed so far. */
LLAMART_API int64_t llamart_session_length(const llamart_session *session);

/* The ids fed so far, as many as its length. Live until it is fed again. */
LLAMART_API const int32_t *llamart_session_ids(const llamart_session *session);

enum {
  LLAMART_FROM_PROMPT = 0, /* text of the user */
  LLAMART_FROM_MODEL = 1   /* tokens the model generated */
};

enum {
  LLAMART_LOGITS_NONE = 0,
  LLAMART_LOGITS_LAST = 1, /* of the last id: enough to go on from */
  LLAMART_LOGITS_ALL = 2   /* of every id */
};

/* What one session gets to read. */
typedef struct llamart_feed {
  size_t struct_size;
  llamart_session *session;
  const int32_t *ids;
  size_t count;      /* at least 1 */
  int32_t source;    /* LLAMART_FROM_*: picks kernels, may change last bits */
  int32_t logits;    /* LLAMART_LOGITS_* */
  int32_t attention; /* what samplers that look at attention need: 0 or 1 */
} llamart_feed;

#define LLAMART_FEED                                                           \
  {sizeof(llamart_feed), NULL, NULL, 0, LLAMART_FROM_PROMPT,                   \
   LLAMART_LOGITS_LAST,  0}

/* Feeds several sessions of one engine, each at most once, in one forward call
 * for every batch_rows ids. No bit of a session's logits depends on the others,
 * on the number of threads or on how its ids are cut into evals. */
LLAMART_API llamart_error *
llamart_eval(llamart_engine *engine, const llamart_feed *feeds, size_t count);

/* Logits of the last eval, [rows, vocab]; NULL and no rows if it asked for
 * none. Live until the session is fed, truncated or closed. */
LLAMART_API const float *llamart_session_logits(const llamart_session *session,
                                                int64_t *rows);

/* Scores of the last row of those logits in the last layer, before the softmax:
 * what its query makes of each of `length` keys, [heads, stride]. NULL if its
 * feed did not ask for attention. Live as the logits do. */
LLAMART_API const float *llamart_session_scores(const llamart_session *session,
                                                int64_t *heads, int64_t *length,
                                                int64_t *stride);

/* What samplers make of those scores. p are softmaxes of them, one per head. */
typedef struct llamart_attention {
  size_t struct_size;
  double entropy;              /* mean over heads of -sum p log2 p, bits */
  double varentropy;           /* variance of those over heads, bits squared */
  double agreement;            /* mean of abs(p - mean over heads of p) */
  double interaction_strength; /* mean of abs(score) */
} llamart_attention;

#define LLAMART_ATTENTION {sizeof(llamart_attention), 0, 0, 0, 0}

/* `slots`: 0, or as if there were so many keys, of which those beyond the
 * sequence's length have a score of 0. Fails if there are no scores. */
LLAMART_API llamart_error *
llamart_session_attention(const llamart_session *session, int64_t slots,
                          llamart_attention *attention);

/*===----------------------------------------------------------------------===
 * Sampling
 *===----------------------------------------------------------------------===*/

enum {
  LLAMART_SAMPLER_GREEDY = 0,  /* the largest logit, the lowest id if equal */
  LLAMART_SAMPLER_STANDARD = 1 /* the knobs below, in their order */
};

typedef struct llamart_sampler_options {
  size_t struct_size;
  int32_t kind; /* LLAMART_SAMPLER_* */
  uint64_t seed;
  float repeat_penalty;    /* of recent tokens; 1: none */
  float frequency_penalty; /* subtracted per occurrence; 0: none */
  float presence_penalty;  /* subtracted once; 0: none */
  int32_t penalty_window;  /* recent tokens; -1: all */
  int32_t top_k;           /* 0: all */
  float top_p;             /* 1: all */
  float min_p;             /* 0: all */
  float temperature;       /* 0: greedy */
  /* A JSON object, NULL if there is none: {"sampler": "entropix-v2", "mode":
   * "compat", "low_entropy": 0.2}. Laid over the fields above; names are those
   * that llama-generate --help-samplers prints. */
  const char *config;
  const llamart_model *model; /* for options that are texts; NULL: those are not
                                 looked up */
} llamart_sampler_options;

#define LLAMART_SAMPLER_OPTIONS                                                \
  {sizeof(llamart_sampler_options),                                            \
   LLAMART_SAMPLER_STANDARD,                                                   \
   0,                                                                          \
   1.0f,                                                                       \
   0.0f,                                                                       \
   0.0f,                                                                       \
   64,                                                                         \
   0,                                                                          \
   1.0f,                                                                       \
   0.0f,                                                                       \
   1.0f,                                                                       \
   NULL,                                                                       \
   NULL}

LLAMART_API llamart_error *
llamart_sampler_create(const llamart_sampler_options *options,
                       llamart_sampler **sampler);

LLAMART_API void llamart_sampler_close(llamart_sampler *sampler);

/* The next token by the session's last logits. Does not feed it. */
LLAMART_API llamart_error *llamart_sample(const llamart_sampler *sampler,
                                          llamart_session *session,
                                          int32_t *id);

/*===----------------------------------------------------------------------===
 * Generation: eval, sample, decode in a loop
 *===----------------------------------------------------------------------===*/

enum {
  LLAMART_FINISH_NONE = 0,
  LLAMART_FINISH_MAX_TOKENS = 1,  /* as many tokens as asked for */
  LLAMART_FINISH_END_OF_TEXT = 2, /* the model ended its reply */
  LLAMART_FINISH_STOP_TEXT = 3,   /* a stop string came; text ends before it */
  LLAMART_FINISH_CONTEXT = 4,     /* the model's context is full */
  LLAMART_FINISH_CALLBACK = 5     /* a callback asked for it */
};

/* What the choice of a token looked like. Pointers live during the callback. */
typedef struct llamart_step {
  size_t struct_size; /* bytes that the library filled in */
  int32_t id;
  int64_t position;       /* of the token in its sequence */
  double probability;     /* in softmax(logits) */
  double entropy;         /* of softmax(logits), bits */
  double varentropy;      /* bits squared */
  const char *state;      /* of the sampler, "" if it has none */
  size_t candidate_count; /* what was left to draw from, most probable first */
  const int32_t *candidate_ids;
  const double *candidate_probabilities;
  int32_t has_attention; /* whether the four below were looked at */
  double attention_entropy, attention_varentropy; /* bits, bits squared */
  double agreement, interaction_strength;
} llamart_step;

typedef struct llamart_job {
  size_t struct_size;
  llamart_session *session;
  const llamart_sampler *sampler;
  const int32_t *prompt; /* fed first; may be empty if there are logits */
  size_t prompt_count;
  int64_t max_tokens; /* 0: only feeds the prompt; negative: no bound */
  const char *const *stops;
  size_t stop_count;
  int32_t ignore_eos;
  int32_t starts_text; /* the reply is a text of its own, as in a chat */

  /* Callbacks, NULL if not wanted. Another result than 0 ends the job. They
   * must not call the engine. */
  void *user;
  int (*on_token)(void *user, int32_t id); /* each token, the last included */
  int (*on_text)(void *user, const char *text, size_t bytes);
  int (*on_logits)(void *user, const float *logits, int64_t rows); /* all fed */

  /* Results. */
  int64_t generated; /* tokens chosen; the last of them is not fed */
  int32_t finish;    /* LLAMART_FINISH_* */

  /* Before on_token; costs passes over the vocabulary. NULL if not wanted. */
  int (*on_step)(void *user, const llamart_step *step);
} llamart_job;

#define LLAMART_JOB                                                            \
  {sizeof(llamart_job),                                                        \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   0,                                                                          \
   -1,                                                                         \
   NULL,                                                                       \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   0,                                                                          \
   LLAMART_FINISH_NONE,                                                        \
   NULL}

/* Runs jobs, whose sessions are different ones of this engine, side by side in
 * the same forward calls, until all are finished. After an error the sessions
 * stand where the last forward call left them. */
LLAMART_API llamart_error *llamart_generate(llamart_engine *engine,
                                            llamart_job *jobs, size_t count);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLAMART_H */
