/*===- engines.h - Engines and sessions: forward calls --------------- C -*-===*/

#ifndef LLAMART_ENGINES_H
#define LLAMART_ENGINES_H

#include "llamart/errors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Must be called with every thread number below `threads`. */
typedef void (*llamart_task)(void *argument, int32_t thread);

/* Threads of the application in place of the library's. */
typedef struct llamart_executor {
  size_t struct_size;
  int32_t threads; /* at least 1 */
  int32_t reserved;

  /* Calls task(argument, 0 .. threads - 1) and returns when all have returned:
   * at the same time, to be fast, but none waits for one that has not begun.
   * Another result than 0 says that it could not; the eval then fails. */
  int (*run)(void *user, llamart_task task, void *argument, int32_t threads);
  void *user;
} llamart_executor;

typedef struct llamart_engine_options {
  size_t struct_size;
  int32_t threads;    /* 0: the physical cores the process may use, fewer
                         where a model is too small for them */
  int32_t batch_rows; /* rows of one forward call at most; 0: 256 */
  uint64_t kv_bytes;  /* budget of the KV cache; 0: half of the memory */
  const llamart_executor *executor; /* NULL: threads of the library's own */

  /* Of kv_bytes, for the beginnings of past sequences, found again by their
   * ids. The least recently used go first. 0: none. */
  uint64_t prefix_bytes;

  /* Milliseconds that a forward call may be expected to take where jobs share
   * it: prompts are cut so, by the rows per second measured. 0: 100;
   * -1: prompts are cut by batch_rows alone. No bit depends on it. */
  int32_t step_ms;
  int32_t reserved;
} llamart_engine_options;

#define LLAMART_ENGINE_OPTIONS                                                 \
  {sizeof(llamart_engine_options), 0, 256, 0, NULL, 0, 0, 0}

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_engine_create(const llamart_model *model,
                      const llamart_engine_options *options,
                      llamart_engine **engine);

/* Its threads end when its sessions are closed too. */
LLAMART_API void llamart_engine_close(llamart_engine *engine);

LLAMART_API int32_t llamart_engine_threads(const llamart_engine *engine);

/* Bytes of the KV cache that sessions hold, and of its budget. */
LLAMART_API uint64_t llamart_engine_kv_used(const llamart_engine *engine);
LLAMART_API uint64_t llamart_engine_kv_budget(const llamart_engine *engine);

/* What an engine has done since it was made, and what it holds. */
typedef struct llamart_stats {
  size_t struct_size;     /* set by the caller; fields beyond the library's
                             become 0 */
  uint64_t forward_calls; /* that were made */
  uint64_t forward_ns;    /* that they took */
  uint64_t rows;          /* that they had: tokens, computed again ones too */
  uint64_t prompt_tokens, generated_tokens;     /* fed, by LLAMART_FROM_* */
  uint64_t recomputed_tokens;                   /* after a release */
  uint64_t prefix_asked_tokens;                 /* looked for in the prefixes */
  uint64_t prefix_found_tokens;                 /* and found */
  uint64_t preemptions;                         /* jobs that were set aside */
  uint64_t kv_used;                             /* bytes, of sessions */
  uint64_t kv_cached;                           /* bytes, of prefixes alone */
  uint64_t kv_budget;                           /* bytes */
  uint64_t workspace_bytes;                     /* of this engine */
  uint64_t copied_bytes;                        /* weights in huge pages */
  uint64_t resident_bytes, peak_resident_bytes; /* of the process */
  uint64_t sessions;                            /* that are open */
  uint64_t running, waiting;                    /* jobs in queues */
} llamart_stats;

#define LLAMART_STATS                                                          \
  {sizeof(llamart_stats),                                                      \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0,                                                                          \
   0}

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_engine_get_stats(const llamart_engine *engine, llamart_stats *stats);

/*===----------------------------------------------------------------------===
 * Sessions
 *===----------------------------------------------------------------------===*/

typedef struct llamart_session_options {
  size_t struct_size;
  uint64_t number;  /* names the sequence for random numbers: sessions with the
                       same seed, text and number draw the same tokens */
  const void *salt; /* past beginnings are found only by equal salts: where one
                       tenant must not learn what others asked */
  size_t salt_bytes;
} llamart_session_options;

#define LLAMART_SESSION_OPTIONS {sizeof(llamart_session_options), 0, NULL, 0}

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_create(llamart_engine *engine,
                       const llamart_session_options *options,
                       llamart_session **session);

/* A second session with the same past, logits and sampler state. Costs no
 * memory until one of the two grows. Its salt is its origin's. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_fork(const llamart_session *session, uint64_t number,
                     llamart_session **fork);

/* Forgets the positions from `length` on. If the last eval gave logits of the
 * position before it, they and their attention scores are the last now, and one
 * may go on from there; else there are none. The sampler's state is the one
 * that chose the token at `length`, if that was among the last 16 choices; else
 * it begins anew. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_truncate(llamart_session *session, int64_t length);

/* Forgets everything: truncates to 0. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_reset(llamart_session *session);

/* Gives the session's part of the cache back, and keeps its ids, logits and
 * sampler state. The next eval computes it again, to the same bits. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_release(llamart_session *session);

/* An empty session takes over as many of these ids, a prompt, as the engine
 * still has the keys and values of; `adopted` says how many: a multiple of 64.
 * They are fed then, to the same bits as by an eval, but without logits. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_adopt(llamart_session *session, const int32_t *ids,
                      size_t count, size_t *adopted);

LLAMART_API void llamart_session_close(llamart_session *session);

/* Positions fed so far. */
LLAMART_API int64_t llamart_session_length(const llamart_session *session);

/* The ids fed so far, as many as its length. Live until it is fed again. */
LLAMART_API const int32_t *llamart_session_ids(const llamart_session *session);

/*===----------------------------------------------------------------------===
 * Feeding
 *===----------------------------------------------------------------------===*/

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
  int32_t attention; /* scores of the rows that have logits: 0 or 1 */
  int32_t reserved;
} llamart_feed;

#define LLAMART_FEED                                                           \
  {sizeof(llamart_feed), NULL, NULL, 0, LLAMART_FROM_PROMPT,                   \
   LLAMART_LOGITS_LAST,  0,    0}

typedef struct llamart_eval_options {
  size_t struct_size;
  const llamart_cancel *cancel; /* ends it with LLAMART_ERROR_CANCELLED */
} llamart_eval_options;

#define LLAMART_EVAL_OPTIONS {sizeof(llamart_eval_options), NULL}

/* Feeds several sessions of one engine, each at most once, in one forward call
 * for every batch_rows ids. No bit of a session's logits depends on the others,
 * on the number of threads or on how its ids are cut into evals. All are fed or
 * none. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_eval(llamart_engine *engine, const llamart_feed *feeds, size_t count,
             const llamart_eval_options *options);

/* Logits of the last eval, [rows, vocab]; NULL and no rows if it asked for
 * none. Live until the session is fed, truncated or closed. */
LLAMART_API const float *llamart_session_logits(const llamart_session *session,
                                                int64_t *rows);

typedef struct llamart_logprob {
  int32_t id;
  int32_t rank;   /* 0: no id is more probable; of equals, the lower id */
  double logprob; /* ln softmax(logits)[id], computed in double precision */
} llamart_logprob;

/* Of a row of those logits, -1: the last. top[0] is `id`'s own, unless id is
 * -1; then the most probable ones, as many as fit into `count`. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_logprobs(const llamart_session *session, int64_t row,
                         int32_t id, llamart_logprob *top, size_t count);

/* Scores of a row of those logits, -1: the last, in the last layer, before the
 * softmax: what its query makes of each of `length` keys, [heads, stride]. NULL
 * if its feed did not ask for attention. Live as the logits do. */
LLAMART_API const float *llamart_session_scores(const llamart_session *session,
                                                int64_t row, int64_t *heads,
                                                int64_t *length,
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
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_attention(const llamart_session *session, int64_t row,
                          int64_t slots, llamart_attention *attention);

/*===----------------------------------------------------------------------===
 * States: a session as bytes
 *
 * Its ids, cache, last row of logits and sampler state, with checksums and the
 * model's fingerprint. What is loaded goes on to the same bits, whatever the
 * number of threads. A damaged state or one of another model is an error of
 * kind LLAMART_ERROR_STATE and makes no session.
 *===----------------------------------------------------------------------===*/

/* Takes, or gives, exactly so many bytes; another result than 0 gives up. */
typedef int (*llamart_write)(void *user, const void *data, size_t bytes);
typedef int (*llamart_read)(void *user, void *data, size_t bytes);

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_save(const llamart_session *session, llamart_write write,
                     void *user);

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_load(llamart_engine *engine,
                     const llamart_session_options *options, llamart_read read,
                     void *user, llamart_session **session);

/* The same with a file, readable by its owner alone. It is written beside and
 * renamed: there is the old one or the new one, whole. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_save_file(const llamart_session *session, const char *path);

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_session_load_file(llamart_engine *engine,
                          const llamart_session_options *options,
                          const char *path, llamart_session **session);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLAMART_ENGINES_H */
