/*===- jobs.h - Generation: eval, sample, decode in a loop ----------- C -*-===*/

#ifndef LLAMART_JOBS_H
#define LLAMART_JOBS_H

#include "llamart/engines.h"
#include "llamart/errors.h"
#include "llamart/samplers.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  LLAMART_FINISH_NONE = 0,
  LLAMART_FINISH_MAX_TOKENS = 1,  /* as many tokens as asked for */
  LLAMART_FINISH_END_OF_TEXT = 2, /* the model ended its reply */
  LLAMART_FINISH_STOP_TEXT = 3,   /* a stop string came; text ends before it */
  LLAMART_FINISH_CONTEXT = 4,     /* the model's context is full */
  LLAMART_FINISH_CALLBACK = 5,    /* a callback asked for it */
  LLAMART_FINISH_CANCELLED = 6,   /* a flag was set, a ticket or queue ended */
  LLAMART_FINISH_ERROR = 7
};

/* What the choice of a token looked like, or a token of the prompt. Pointers
 * live during the callback. */
typedef struct llamart_step {
  size_t struct_size; /* bytes that the library filled in */
  int32_t id;
  int32_t has_attention;  /* whether the four below were looked at */
  int64_t position;       /* of the token in its sequence */
  double probability;     /* in softmax(logits) */
  double entropy;         /* of softmax(logits), bits */
  double varentropy;      /* bits squared */
  const char *state;      /* of the sampler, "" if it has none */
  size_t candidate_count; /* what was left to draw from, most probable first */
  const int32_t *candidate_ids;
  const double *candidate_probabilities;
  double attention_entropy, attention_varentropy; /* bits, bits squared */
  double agreement, interaction_strength;
  llamart_logprob logprob;    /* of the id */
  size_t top_count;           /* as many as the job's top_logprobs */
  const llamart_logprob *top; /* the most probable ones */
} llamart_step;

/* How a job ended. */
typedef struct llamart_result {
  size_t struct_size;    /* set by the caller, or by the library in its own */
  int32_t finish;        /* LLAMART_FINISH_* */
  int32_t error_kind;    /* of LLAMART_FINISH_ERROR: LLAMART_ERROR_* */
  int64_t prompt_tokens; /* of the prompt that are fed */
  int64_t cached_tokens; /* of those, found among past beginnings */
  int64_t generated;     /* tokens chosen; the last of them is not fed */
  int64_t queue_ns;      /* from being added to the first forward call */
  int64_t prompt_ns;     /* from there to the first token */
  int64_t decode_ns;     /* from there to the end */
  const char *error;     /* what went wrong; NULL: nothing. Lives as long as
                            the ticket or, from llamart_generate, not at all:
                            then NULL */
} llamart_result;

#define LLAMART_RESULT                                                         \
  {sizeof(llamart_result), LLAMART_FINISH_NONE, 0, 0, 0, 0, 0, 0, 0, NULL}

typedef struct llamart_job {
  size_t struct_size;
  llamart_session *session; /* NULL: one is made for the job alone */
  const llamart_sampler *sampler;
  const int32_t *prompt; /* fed first; may be empty if there are logits */
  size_t prompt_count;
  int64_t max_tokens; /* 0: only feeds the prompt; negative: no bound */
  const char *const *stops;
  size_t stop_count;
  int32_t ignore_eos;
  int32_t starts_text;  /* the reply is a text of its own, as in a chat */
  int32_t top_logprobs; /* that many of the most probable in each step */
  int32_t reserved;
  const llamart_session_options *session_options; /* of the session that is
                                                     made */
  const llamart_cancel *cancel;

  /* Callbacks, NULL if not wanted. Another result than 0 ends the job. What
   * they may call: I8. */
  void *user;
  int (*on_token)(void *user, int32_t id); /* each token, the last included */
  int (*on_text)(void *user, const char *text, size_t bytes);
  int (*on_logits)(void *user, const float *logits, int64_t rows); /* all fed */

  /* Before on_token; costs passes over the vocabulary. */
  int (*on_step)(void *user, const llamart_step *step);

  /* Each token of the prompt that has one before it, as it is fed: so a text of
   * any length is scored in bounded memory. */
  int (*on_prompt_step)(void *user, const llamart_step *step);

  /* The last call of the job; its result does not matter. */
  void (*on_finish)(void *user, const llamart_result *result);
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
   0,                                                                          \
   0,                                                                          \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL,                                                                       \
   NULL}

/* Runs jobs, whose sessions are different ones of this engine, side by side in
 * the same forward calls, until all are finished. `results` has as many
 * elements, or is NULL. A job that fails ends alone; the first failure is what
 * is returned, its llamart_error_item the job. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_generate(llamart_engine *engine, const llamart_job *jobs,
                 llamart_result *results, size_t count);

/*===----------------------------------------------------------------------===
 * Queues: jobs come and go while others run
 *
 * One thread steps a queue, any may add. Jobs begin in the order in which they
 * came, as far as the cache has room. Where it ends, the youngest is set aside
 * and computed again later: to the same bits.
 *===----------------------------------------------------------------------===*/

typedef struct llamart_queue_options {
  size_t struct_size;
  int32_t running; /* jobs side by side at most; 0: as the cache holds */
  int32_t waiting; /* more are refused: LLAMART_ERROR_CACHE; 0: 1024 */
} llamart_queue_options;

#define LLAMART_QUEUE_OPTIONS {sizeof(llamart_queue_options), 0, 0}

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_queue_create(llamart_engine *engine,
                     const llamart_queue_options *options,
                     llamart_queue **queue);

/* What the job points to is copied, but for `user`. `ticket` may be NULL. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_queue_add(llamart_queue *queue, const llamart_job *job,
                  llamart_ticket **ticket);

/* One forward call at most; callbacks come on this thread. Waits up to wait_ms
 * for something to do; -1: as long as it takes. `unfinished` (or NULL): jobs
 * that run or wait after it. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_queue_step(llamart_queue *queue, int32_t wait_ms, size_t *unfinished);

/* Makes a step that waits return. From any thread. */
LLAMART_API void llamart_queue_wake(llamart_queue *queue);

/* Steps until the queue is stopped. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_queue_run(llamart_queue *queue);

/* From any thread. No more jobs are taken; with `drain`, those that are there
 * finish, else they end as cancelled. llamart_queue_run returns then. */
LLAMART_API void llamart_queue_stop(llamart_queue *queue, int drain);

/* Jobs that are left end as cancelled. */
LLAMART_API void llamart_queue_close(llamart_queue *queue);

/* From any thread. The job ends with the step that runs or the next one. */
LLAMART_API void llamart_ticket_cancel(llamart_ticket *ticket);

/* 1: the job is finished. Waits up to wait_ms for that; -1: as long as it
 * takes, which needs a thread that steps the queue. */
LLAMART_API int llamart_ticket_wait(const llamart_ticket *ticket,
                                    int32_t wait_ms);

/* NULL until the job is finished. Lives as long as the ticket. */
LLAMART_API const llamart_result *
llamart_ticket_result(const llamart_ticket *ticket);

/* The job goes on. */
LLAMART_API void llamart_ticket_close(llamart_ticket *ticket);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLAMART_JOBS_H */
