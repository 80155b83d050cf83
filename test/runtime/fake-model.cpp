//===- fake-model.cpp - A model.so made by hand ---------------------------===//
//
// Obeys runtime/abi/LlamaABI.h and checks that the runtime does: what is wrong
// with a call turns the logits of the rows concerned into NaN. FAKE_* macros
// make variants that a runtime must refuse.
//
//===----------------------------------------------------------------------===//

#include "runtime/abi/LlamaABI.h"
#include "test/runtime/FakeModel.h"
#include "test/runtime/fake-tokenizer.h"

#include <array>
#include <cmath>

using namespace fakemodel;

#ifndef FAKE_ABI
#define FAKE_ABI LLAMA_ABI_VERSION
#endif
#ifndef FAKE_MAGIC
#define FAKE_MAGIC LLAMA_ABI_MAGIC
#endif

#ifdef FAKE_MISSING_FEATURES
#define FEATURES "\"sse2\", \"xop\", \"tbm\"" // no CPU since 2017 has the two
#elif defined(FAKE_UNKNOWN_FEATURE)
#define FEATURES "\"sse2\", \"thought-reading\""
#else
#define FEATURES "\"sse2\", \"clzero\""
#endif

#ifndef FAKE_FINGERPRINT
#define FINGERPRINT                                                            \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#else
#define FINGERPRINT                                                            \
  "0000000000000000000000000000000000000000000000000000000000000000"
#endif

#ifdef FAKE_EXTERNAL
#define WEIGHTS "\"external\", \"file\": \"fake.weights\", \"bytes\": 167772160"
constexpr uint64_t kWeightBytes = 160 << 20;
#else
#define WEIGHTS "\"embed\", \"file\": \"\", \"bytes\": 65536"
constexpr uint64_t kWeightBytes = 65536;
#endif
constexpr uint64_t kWeightWords = kWeightBytes / 4;

// Names and sizes only matter to those who count bytes.
#define TENSORS                                                                \
  "{\"name\": \"tok_embeddings\", \"dtype\": \"f32\", \"layout\": \"rows\", "  \
  "\"shape\": [264, 16], \"offset\": 0, \"bytes\": 16896}, "                   \
  "{\"name\": \"layers.0.attention.wq\", \"dtype\": \"f32\", "                 \
  "\"layout\": \"rows\", \"shape\": [16, 16], \"offset\": 16896, \"bytes\": "  \
  "1024}, "                                                                    \
  "{\"name\": \"output\", \"dtype\": \"f32\", \"layout\": \"rows\", "          \
  "\"shape\": [264, 16], \"offset\": 17920, \"bytes\": 16896}"

// What follows the barriers; numbers that tell rows and layers apart.
#define STEP(name, bytes, row_bytes, multiplies, rows, cache)                  \
  "{\"name\": \"" name "\", \"bytes\": " bytes ", \"row_bytes\": " row_bytes   \
  ", \"multiplies\": " multiplies ", \"rows\": \"" rows                        \
  "\", \"cache\": " cache "}"
#define STEPS                                                                  \
  STEP("embed", "0", "64", "0", "rows", "false")                               \
  ", " STEP("attend", "1000", "0", "100", "rows", "true") ", " STEP(           \
      "logits", "16896", "0", "4224", "logit_rows", "false")

#define INFO                                                                   \
  "{\"name\": \"fake\", \"hidden\": 16, \"ffn\": 32, \"vocab\": 264, "         \
  "\"layers\": 2, \"heads\": {\"query\": 4, \"kv\": 2, \"dim\": 4}, "          \
  "\"max_seq_len\": 512, \"bos_token\": 256, \"eos_tokens\": [257], "          \
  "\"activations\": \"f32\", \"kv_type\": \"f32\", "                           \
  "\"target\": {\"triple\": \"x86_64-unknown-linux-gnu\", "                    \
  "\"cpu\": \"fake-cpu\", \"features\": [" FEATURES "], "                      \
  "\"steps\": [" STEPS "], \"others\": []}, "                                  \
  "\"weights\": {\"storage\": " WEIGHTS ", \"tensors\": [" TENSORS "]}, "      \
  "\"chat_template\": \"\", \"compiler\": \"a hand\", "                        \
  "\"fingerprint\": \"" FINGERPRINT "\"}"

constexpr int64_t kElements =
    kLayers * 2 * kKVHeads * LLAMA_KV_BLOCK * kHeadDim;

extern "C" {
extern const llama_model_header llama_header = {
    .magic = FAKE_MAGIC,
    .abi_version = FAKE_ABI,
    .header_size = sizeof(llama_model_header),
    .weights_bytes = kWeightBytes,
    .info_bytes = sizeof(INFO) - 1,
    .tokenizer_bytes = sizeof(FakeTokenizer),
    .kv_block_bytes = kElements * 4,
    .hashes_bytes = 0,
    .compiler = "a hand",
    .triple = "x86_64-unknown-linux-gnu"};
extern const char llama_info[] = INFO;
FakeTokenizer llama_tokenizer;
Calls fake_calls;

#ifndef FAKE_EXTERNAL
extern constexpr std::array<uint32_t, kWeightWords> llama_weights = [] {
  std::array<uint32_t, kWeightWords> weights = {};
  for (uint64_t i = 0; i < kWeightWords; i += kWeightWords / kVocab)
    weights[i] = getWeight(i);
  return weights;
}();
#endif

#ifdef FAKE_UNDEFINED
void fake_function_that_nobody_has();
#endif
}

__attribute__((constructor)) static void fillTokenizer() {
  llama_tokenizer.fill();
#ifdef FAKE_NO_BOS
  llama_tokenizer.header.flags &= ~uint32_t(llamaabi::kAddBos);
#endif
#ifdef FAKE_UNDEFINED
  fake_function_that_nobody_has();
#endif
}

namespace {

// In the workspace, one per row.
struct RowState {
  uint64_t hash;
  uint64_t broken;
};

struct Forward {
  const llama_call &call;

  /// This thread's shares of a loop.
  template <typename Body>
  void shareLoop(int64_t shares, Body body) const {
    for (int64_t i; (i = call.take_share(call.team, shares)) >= 0;)
      body(i);
  }

  RowState *getStates() const {
    return static_cast<RowState *>(call.workspace);
  }

  /// The 32-bit words of a row's slot in the cache; null if there is none.
  uint32_t *findSlot(int64_t row, int64_t position) const {
    int64_t entry = position / LLAMA_KV_BLOCK;
    int64_t sequence = call.sequences[row];
    if (sequence < 0 || sequence >= call.table_count || position < 0 ||
        entry >= call.table_stride)
      return nullptr;
    int64_t block = call.block_tables[sequence * call.table_stride + entry];
    if (block < 0 || block >= call.kv_blocks)
      return nullptr;
    return static_cast<uint32_t *>(call.kv) + block * kElements +
           position % LLAMA_KV_BLOCK * kHeadDim;
  }

  /// Element `part` counts layer, key or value, and head.
  static uint32_t *getVector(uint32_t *slot, int64_t part) {
    return slot + part * LLAMA_KV_BLOCK * kHeadDim;
  }
  static constexpr int64_t kParts = kLayers * 2 * kKVHeads;

  static uint32_t getCheck(uint32_t token, uint32_t position, int64_t part) {
    return mix(uint64_t(token) << 32 | position << 8 | part);
  }

  void append(int64_t row) const {
    RowState &state = getStates()[row];
    uint32_t token = call.tokens[row], position = call.positions[row];
    uint32_t *slot = findSlot(row, position);
    volatile float denormal = 1e-40f; // flushed in another environment
    state = {kHashStart, !slot || denormal * 0.5f == 0.0f};
    for (int64_t part = 0; slot && part < kParts; ++part) {
      uint32_t *vector = getVector(slot, part);
      vector[0] = token;
      vector[1] = row < call.prompt_rows;
      vector[2] = position;
      vector[3] = getCheck(token, position, part);
    }
  }

  void attend(int64_t row) const {
    const auto *weights = static_cast<const uint32_t *>(call.weights);
    RowState &state = getStates()[row];
    for (int64_t p = 0; p <= call.positions[row]; ++p) {
      uint32_t *slot = findSlot(row, p);
      if (!slot) {
        state.broken = 1;
        return;
      }
      for (int64_t part = 0; part < kParts; ++part) {
        const uint32_t *vector = getVector(slot, part);
        state.broken |=
            vector[2] != p || vector[3] != getCheck(vector[0], vector[2], part);
      }
      int32_t token = slot[0];
      if (token < 0 || token >= kVocab) {
        state.broken = 1;
        return;
      }
      state.hash = addToHash(state.hash, token, slot[1],
                             weights[getWeightWord(token, kWeightWords)]);
    }
  }

  void writeLogits(int64_t id, bool broken) const {
    for (int64_t l = 0; l < call.logit_rows; ++l) {
      const RowState &state = getStates()[call.logit_row_list[l]];
      call.logits[l * kVocab + id] =
          broken || state.broken ? NAN : getLogit(state.hash, id);
#ifdef FAKE_NAN
      if (id == 7)
        call.logits[l * kVocab + id] = NAN;
#endif
    }
  }

  void writeScores(int64_t l) const {
    int64_t row = call.logit_row_list[l];
    for (int64_t h = 0; h < kHeads; ++h)
      for (int64_t p = 0; p <= call.positions[row]; ++p)
        if (uint32_t *slot = findSlot(row, p))
          call.attention_scores[(l * kHeads + h) * call.attention_stride + p] =
              getScore(int32_t(slot[0]), h);
  }

  bool isWellFormed() const {
    return call.struct_size == sizeof(llama_call) && call.rows >= 1 &&
           reinterpret_cast<uintptr_t>(call.workspace) % 64 == 0 &&
           call.threads >= 1 &&
           (call.attention_rows == 0 ||
            (call.attention_rows == call.logit_rows &&
             call.attention_stride % LLAMA_KV_BLOCK == 0));
  }

  // Engines that share a model may be here at the same time.
  void count() const {
    int64_t number = __atomic_fetch_add(&fake_calls.count, 1, __ATOMIC_RELAXED);
    if (number < 64) {
      fake_calls.rows[number] = call.rows;
      fake_calls.sequences[number] = call.table_count;
    }
  }

  void run() const {
    shareLoop(1, [&](int64_t) { count(); });
    call.barrier(call.team, 0, -1);
    shareLoop(call.rows, [&](int64_t row) { append(row); });
    call.barrier(call.team, 1, 0);
    // Rows that another thread may have written.
    shareLoop(call.rows, [&](int64_t i) { attend(call.rows - 1 - i); });
    call.barrier(call.team, 1, 1); // the second layer has nothing to add
    call.barrier(call.team, 2, -1);
    bool broken = !isWellFormed();
    shareLoop(kVocab, [&](int64_t id) { writeLogits(id, broken); });
    shareLoop(call.attention_rows, [&](int64_t l) { writeScores(l); });
  }
};

} // namespace

extern "C" {
#ifndef FAKE_NO_FORWARD
void llama_forward(const llama_call *call) { Forward{*call}.run(); }
#endif

int64_t llama_workspace_bytes(int64_t rows, int64_t) {
#ifdef FAKE_NEGATIVE_WORKSPACE
  return -rows;
#endif
  return rows * sizeof(RowState);
}
}
