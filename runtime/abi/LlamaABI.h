/*===- LlamaABI.h - What a model.so and the runtime share ------------ C -*-===
 *
 * A model.so exports the symbols named here and nothing else the runtime needs.
 * Compiler and runtime include this one header. Rules:
 *
 *   A1  llama_model_header comes first and is readable whatever the version:
 *       magic, then abi_version. A runtime refuses all versions but its own.
 *   A2  llama_forward is called once per thread, with that thread's number and
 *       the same call but for its team. All of them meet at call->barrier, as
 *       often and with the same numbers.
 *   A3  llama_forward allocates nothing, keeps nothing between calls, and calls
 *       nothing but call->barrier.
 *   A4  the result of a row depends on that row and on its sequence's cache
 *       alone. Prefill may go through other kernels than decode; how
 *       rows of a kind are grouped into calls changes no bit.
 *
 *===----------------------------------------------------------------------===*/

#ifndef LLAMA_RUNTIME_ABI_LLAMAABI_H
#define LLAMA_RUNTIME_ABI_LLAMAABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LLAMA_ABI_MAGIC 0x4F53414D414C4CULL /* "LLAMASO" */
#define LLAMA_ABI_VERSION 4u

/* Positions held by one block of the KV cache. */
#define LLAMA_KV_BLOCK 64
/* Bytes of the scale of a key or value of one head, if elements are int8. */
#define LLAMA_KV_SCALE_BYTES 2

/* One forward call. Arrays are the runtime's; sizes in elements unless said. */
typedef struct llama_call {
  uint64_t struct_size;

  int64_t rows;             /* T, at least 1 */
  const int32_t *tokens;    /* [T] */
  const int32_t *positions; /* [T] */
  const int32_t *sequences; /* [T] index into block_tables */
  int64_t prompt_rows;      /* rows [0, prompt_rows) belong to prompts */

  int64_t table_count;         /* sequences in this call */
  int64_t table_stride;        /* entries per sequence */
  const int32_t *block_tables; /* [table_count, table_stride] block numbers,
                                * -1 beyond a sequence's last block */

  /* [kv_blocks, layers, 2, kvHeads, LLAMA_KV_BLOCK, headDim] keys (rotated),
   * values; of int8, headDim + LLAMA_KV_SCALE_BYTES. Only the model knows in
   * which order the elements of the last two dimensions lie. */
  void *kv;
  int64_t kv_blocks;

  int64_t logit_rows;            /* L, may be 0 */
  const int32_t *logit_row_list; /* [L] rows whose logits are wanted */
  float *logits;                 /* [L, vocab]; negative infinity for tokens
                                  * that a pruned model cannot choose */

  const void *weights; /* llama_weights, or a copy of it */
  void *workspace;     /* llama_workspace_bytes(rows, logit_rows), 64-aligned */

  int64_t threads; /* how many call llama_forward */

  /* Returns when all threads have called it. What they do from there to the
   * next barrier is step `step` of the list in llama_info, in layer `layer`, or
   * -1 outside of the layers. */
  void (*barrier)(void *team, int64_t step, int64_t layer);
  void *team; /* barrier's argument */

  /* Scores of the last layer before the softmax, for the first attention_rows
   * of logit_row_list, 0 if nobody asks. Up to a row's position; what follows
   * it in the same LLAMA_KV_BLOCK positions is negative infinity. */
  int64_t attention_rows;
  int64_t attention_stride; /* a multiple of LLAMA_KV_BLOCK, beyond positions */
  float *attention_scores;  /* [attention_rows, heads, attention_stride] */
} llama_call;

/* First bytes of every model.so. Offsets are byte offsets from the header. */
typedef struct llama_model_header {
  uint64_t magic;       /* LLAMA_ABI_MAGIC */
  uint32_t abi_version; /* LLAMA_ABI_VERSION of the compiler */
  uint32_t header_size; /* sizeof(llama_model_header) */
  uint64_t weights_bytes;
  uint64_t info_bytes;      /* length of llama_model_info */
  uint64_t tokenizer_bytes; /* length of llama_tokenizer, 0 if there is none */
  uint64_t kv_block_bytes;  /* one block of the cache, all layers */
  char compiler[64];        /* "llama-compile 0.1.0 (LLVM 22.1.8)" */
  char triple[64];
} llama_model_header;

/* Exported symbols:
 *   const llama_model_header llama_header;
 *   const char llama_info[];            JSON, info_bytes long
 *   const unsigned char llama_tokenizer[]; runtime/abi/TokenizerFormat.h
 *   const unsigned char llama_weights[]; absent when weights are external
 */
#define LLAMA_SYMBOL_HEADER "llama_header"
#define LLAMA_SYMBOL_INFO "llama_info"
#define LLAMA_SYMBOL_TOKENIZER "llama_tokenizer"
#define LLAMA_SYMBOL_WEIGHTS "llama_weights"
#define LLAMA_SYMBOL_FORWARD "llama_forward"
#define LLAMA_SYMBOL_WORKSPACE "llama_workspace_bytes"

/* void llama_forward(const llama_call *call, int64_t thread) */
typedef void (*llama_forward_fn)(const llama_call *, int64_t);

/* int64_t llama_workspace_bytes(int64_t rows, int64_t logit_rows) */
typedef int64_t (*llama_workspace_fn)(int64_t, int64_t);

#ifdef __cplusplus
} /* extern "C" */

static_assert(sizeof(llama_call) == 22 * 8, "llama_call is part of the ABI");
static_assert(sizeof(llama_model_header) == 176,
              "llama_model_header is part of the ABI");
#endif

#endif /* LLAMA_RUNTIME_ABI_LLAMAABI_H */
