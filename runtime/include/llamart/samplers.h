/*===- samplers.h - Logits to the next token ------------------------- C -*-===*/

#ifndef LLAMART_SAMPLERS_H
#define LLAMART_SAMPLERS_H

#include "llamart/engines.h"
#include "llamart/errors.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  LLAMART_SAMPLER_GREEDY = 0,  /* the largest logit, the lowest id if equal */
  LLAMART_SAMPLER_STANDARD = 1 /* the knobs below, in their order */
};

typedef struct llamart_sampler_options {
  size_t struct_size;
  int32_t kind; /* LLAMART_SAMPLER_* */
  int32_t reserved;
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

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_sampler_create(const llamart_sampler_options *options,
                       llamart_sampler **sampler);

LLAMART_API void llamart_sampler_close(llamart_sampler *sampler);

/* The next token by the session's last logits. Does not feed it. */
LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_sample(const llamart_sampler *sampler, llamart_session *session,
               int32_t *id);

/*===----------------------------------------------------------------------===
 * Samplers of the application
 *===----------------------------------------------------------------------===*/

/* What a token is to be chosen by. Pointers live during the call. */
typedef struct llamart_choice {
  size_t struct_size; /* bytes that the library filled in */
  float *logits;      /* [vocab], a copy that may be written to */
  int64_t vocab;
  const int32_t *ids;                 /* of the sequence so far */
  int64_t length;                     /* how many: the position of the choice */
  const llamart_attention *attention; /* NULL unless it is wanted */
  uint64_t number;                    /* of the session */
  uint64_t seed;                      /* of the sampler */
} llamart_choice;

/* Copied when the sampler is made. Functions return 0; another number is an
 * error of kind LLAMART_ERROR_CALLBACK. May be called by several threads at
 * once, for different sessions. */
typedef struct llamart_custom_sampler {
  size_t struct_size;
  void *user;
  uint64_t seed;           /* of llamart_choice_random */
  int32_t wants_attention; /* 0 or 1 */
  int32_t reserved;

  /* Writes the id, 0 to vocab - 1. `state`: what create_state made. */
  int (*choose)(void *user, void *state, const llamart_choice *choice,
                int32_t *id);

  /* What the sampler remembers of one session; all three NULL: nothing. Cloned
   * where a session is forked, and where it may be cut later. */
  int (*create_state)(void *user, void **state);
  int (*clone_state)(void *user, const void *state, void **clone);
  void (*close_state)(void *user, void *state);

  void (*close)(void *user); /* once nothing uses the sampler; or NULL */
} llamart_custom_sampler;

#define LLAMART_CUSTOM_SAMPLER                                                 \
  {sizeof(llamart_custom_sampler), NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL}

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_sampler_create_custom(const llamart_custom_sampler *options,
                              llamart_sampler **sampler);

/* Random number `draw` of this choice, in [0, 1): the one that the library's
 * samplers would use with that seed; 0 is the draw itself. A function of seed,
 * number, position and `draw` alone. */
LLAMART_API double llamart_choice_random(const llamart_choice *choice,
                                         uint32_t draw);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLAMART_SAMPLERS_H */
