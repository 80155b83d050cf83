/*===- LlamaABI.h - What a model.so and the runtime share ------------ C -*-===
 *
 * A model.so exports the symbols named here and nothing else the runtime needs.
 * Compiler and runtime include this one header. Rules:
 *
 *   A1  llama_model_header comes first and is readable whatever the version:
 *       magic, then abi_version. A runtime refuses all versions but its own.
 *   A2  llama_forward is called once per thread, with the same call but for its
 *       team. Each comes to the same barriers and takes shares of the same loops
 *       in the same order; which thread has a share changes no bit.
 *   A3  llama_forward allocates nothing, keeps nothing between calls, and calls
 *       nothing but call->barrier and call->take_share.
 *   A4  the result of a row depends on that row and on its sequence's cache
 *       alone. Rows of prompts (prefill) may go through other kernels than
 *       decode rows; how rows of a kind are grouped into calls changes no bit.
 *
 *===----------------------------------------------------------------------===*/

#ifndef LLAMA_RUNTIME_ABI_LLAMAABI_H
#define LLAMA_RUNTIME_ABI_LLAMAABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LLAMA_ABI_MAGIC 0x4F53414D414C4CULL /* "LLAMASO" */
#define LLAMA_ABI_VERSION 6u

/* Positions held by one block (page) of the KV cache. */
#define LLAMA_KV_BLOCK 64
/* Bytes of the scale of a key or value of one head, if elements are int8. */
#define LLAMA_KV_SCALE_BYTES 2

/* Bytes of the hash of a tensor: BLAKE3. */
#define LLAMA_HASH_BYTES 32

/* One forward call: LlamaCall.def describes every field. Arrays are the
 * runtime's. */
typedef struct llama_call {
#define LLAMA_CALL_SIZE(name) int64_t name;
#define LLAMA_CALL_ARRAY(type, name, row_count, size) type *name;
#define LLAMA_CALL_ARRAY2(type, name, row_count, size0, size1) type *name;
#define LLAMA_CALL_BYTES(type, name) type *name;
#define LLAMA_CALL_FIELD(declaration, name) declaration;
#include "runtime/abi/LlamaCall.def"
} llama_call;

/* First bytes of every model.so. Offsets are byte offsets from the header. */
typedef struct llama_model_header {
  uint64_t magic;       /* LLAMA_ABI_MAGIC */
  uint32_t abi_version; /* LLAMA_ABI_VERSION of the compiler */
  uint32_t header_size; /* sizeof(llama_model_header) */
  uint64_t weights_bytes;
  uint64_t info_bytes;      /* length of llama_info */
  uint64_t tokenizer_bytes; /* length of llama_tokenizer, 0 if there is none */
  uint64_t kv_block_bytes;  /* one block of the cache, all layers */
  uint64_t hashes_bytes;    /* length of llama_hashes, 0 if there are none */
  char compiler[64];        /* "llama-compile 0.1.0 (LLVM 22.1.8)" */
  char triple[64];
} llama_model_header;

/* Exported symbols:
 *   const llama_model_header llama_header;
 *   const char llama_info[];               JSON: runtime/abi/ModelInfo.h
 *   const unsigned char llama_hashes[];    LLAMA_HASH_BYTES for each tensor, in
 *                                          the order of llama_info
 *   const unsigned char llama_tokenizer[]; runtime/abi/TokenizerFormat.h
 *   const unsigned char llama_weights[];   absent when weights are external
 */
#define LLAMA_SYMBOL_HEADER "llama_header"
#define LLAMA_SYMBOL_INFO "llama_info"
#define LLAMA_SYMBOL_HASHES "llama_hashes"
#define LLAMA_SYMBOL_TOKENIZER "llama_tokenizer"
#define LLAMA_SYMBOL_WEIGHTS "llama_weights"
#define LLAMA_SYMBOL_FORWARD "llama_forward"
#define LLAMA_SYMBOL_WORKSPACE "llama_workspace_bytes"

/* void llama_forward(const llama_call *call) */
typedef void (*llama_forward_fn)(const llama_call *);

/* int64_t llama_workspace_bytes(int64_t rows, int64_t logit_rows) */
typedef int64_t (*llama_workspace_fn)(int64_t, int64_t);

/* What `llama-compile --symbol-prefix=NAME` makes is linked into a program. It
 * defines one symbol, NAME, which points to what the symbols above are. */
typedef struct llama_linked_code {
  const char *name; /* "llama_forward": how llama_info calls it */
  llama_forward_fn forward;
  llama_workspace_fn workspace;
} llama_linked_code;

typedef struct llama_linked_model {
  uint64_t struct_size; /* sizeof(llama_linked_model) of the compiler */
  uint32_t abi_version; /* LLAMA_ABI_VERSION of the compiler */
  uint32_t code_count;
  const llama_model_header *header;
  const char *info;
  const unsigned char *hashes;
  const unsigned char *tokenizer; /* NULL if there is none */
  const unsigned char *weights;
  const llama_linked_code *code; /* [code_count], one for each processor */
} llama_linked_model;

#ifdef __cplusplus
} /* extern "C" */

static_assert(sizeof(llama_call) == 23 * 8, "llama_call is part of the ABI");
static_assert(sizeof(llama_model_header) == 184,
              "llama_model_header is part of the ABI");
#endif

#endif /* LLAMA_RUNTIME_ABI_LLAMAABI_H */
