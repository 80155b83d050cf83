/*===- library.h - Version, handles, macros -------------------------- C -*-===//
 *
 * What all of llamart.h stands on.
 *
 *===----------------------------------------------------------------------===*/

#ifndef LLAMART_LIBRARY_H
#define LLAMART_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#define LLAMART_VERSION_MAJOR 0
#define LLAMART_VERSION_MINOR 2
#define LLAMART_VERSION_PATCH 0
#define LLAMART_VERSION_NUMBER                                                 \
  (LLAMART_VERSION_MAJOR * 1000000 + LLAMART_VERSION_MINOR * 1000 +            \
   LLAMART_VERSION_PATCH)

#ifndef LLAMART_API /* -DLLAMART_API= for a static library */
#if defined(__GNUC__)
#define LLAMART_API __attribute__((visibility("default")))
#else
#define LLAMART_API
#endif
#endif

/* An error that nobody looks at is one that nobody frees. */
#if defined(__GNUC__)
#define LLAMART_MUST_CHECK __attribute__((warn_unused_result))
#else
#define LLAMART_MUST_CHECK
#endif

/* Whether the library that filled `pointer` in knew this field. (G6) */
#define LLAMART_HAS(type, pointer, field)                                      \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof((pointer)->field))

#ifdef __cplusplus
extern "C" {
#endif

typedef struct llamart_error llamart_error;
typedef struct llamart_cancel llamart_cancel;
typedef struct llamart_model llamart_model;
typedef struct llamart_decoder llamart_decoder;
typedef struct llamart_engine llamart_engine;
typedef struct llamart_session llamart_session;
typedef struct llamart_sampler llamart_sampler;
typedef struct llamart_queue llamart_queue;
typedef struct llamart_ticket llamart_ticket;

/* Of the library: "0.2.0", LLAMART_VERSION_NUMBER. */
LLAMART_API const char *llamart_version(void);
LLAMART_API int32_t llamart_version_number(void);

/* The model.so files it opens: from which ABI version to which. */
LLAMART_API void llamart_model_abi(int32_t *lowest, int32_t *highest);

/* Frees what a function returned through a pointer to a pointer. */
LLAMART_API void llamart_free(void *memory);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LLAMART_LIBRARY_H */
