/*===- errors.h - Errors and cancel flags ---------------------------- C -*-===*/

#ifndef LLAMART_ERRORS_H
#define LLAMART_ERRORS_H

#include "llamart/library.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  LLAMART_OK = 0,              /* the kind of NULL */
  LLAMART_ERROR_ARGUMENT = 1,  /* the call is wrong: NULL, an id out of range */
  LLAMART_ERROR_MODEL = 2,     /* the model file cannot be used here */
  LLAMART_ERROR_CONTEXT = 3,   /* a sequence longer than the model's context */
  LLAMART_ERROR_MEMORY = 4,    /* the system has none left */
  LLAMART_ERROR_SYSTEM = 5,    /* the system or an executor refused */
  LLAMART_ERROR_CACHE = 6,     /* the engine's kv_bytes are used up: close or
                                  truncate sessions, or wait */
  LLAMART_ERROR_CANCELLED = 7, /* a cancel flag was set, a callback gave up */
  LLAMART_ERROR_UNSUPPORTED = 8, /* this library or model cannot do that */
  LLAMART_ERROR_CALLBACK = 9,    /* a callback threw or failed */
  LLAMART_ERROR_STATE = 10       /* a saved state is damaged or of another
                                    model */
};

LLAMART_API int llamart_error_kind(const llamart_error *error);

/* One line without a newline. Lives as long as the error. */
LLAMART_API const char *llamart_error_message(const llamart_error *error);

/* Which feed, job or message of the array given is meant; -1: none. */
LLAMART_API int64_t llamart_error_item(const llamart_error *error);

LLAMART_API void llamart_error_free(llamart_error *error);

/*===----------------------------------------------------------------------===
 * Cancelling
 *
 * A forward call that works for nobody else ends within a few milliseconds of
 * the flag; one that others share ends first, within about step_ms.
 *===----------------------------------------------------------------------===*/

LLAMART_API LLAMART_MUST_CHECK llamart_error *
llamart_cancel_create(llamart_cancel **cancel);

/* From any thread and from signal handlers. */
LLAMART_API void llamart_cancel_set(llamart_cancel *cancel);
LLAMART_API void llamart_cancel_clear(llamart_cancel *cancel);
LLAMART_API int llamart_cancel_is_set(const llamart_cancel *cancel);

LLAMART_API void llamart_cancel_close(llamart_cancel *cancel);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLAMART_ERRORS_H */
