//===- Sequence.h - What an engine keeps of one sequence --------*- C++ -*-===//
//
// Its part of the KV cache, its token ids, its last logits. Engine makes, feeds
// and cuts it; a Session is a sequence with a sampler's state.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_SEQUENCE_H
#define LLAMA_RUNTIME_ENGINE_SEQUENCE_H

#include "runtime/Engine/KVCache.h"
#include "runtime/Model/Memory.h"
#include "runtime/Sampler/Sampler.h"

#include <memory>
#include <span>
#include <vector>

namespace llamart {

/// Which kernels see a row, and whether its token came from the user.
enum class RowKind : uint8_t { Prefill, Decode };

/// Rows of logits, kept alive by whoever looks at them.
struct Logits {
  std::shared_ptr<const Pages> pages;
  const float *data = nullptr; ///< [rows, vocab]
  int64_t rows = 0;
};

/// The last layer's scores of one row, kept alive by whoever looks at them.
struct Attention {
  std::shared_ptr<const Pages> pages;
  AttentionScores scores; ///< no data if nobody asked
};

struct Sequence {
  explicit Sequence(KVPool &pool) : pool(&pool), cache(pool) {}

  int64_t getLength() const { return cache.getLength(); }

  /// Makes append() of so many ids unable to fail.
  void reserve(size_t count);
  void append(std::span<const int32_t> ids, RowKind kind) noexcept;

  const KVPool *pool; ///< of its engine
  KVSequence cache;
  std::vector<int32_t> history; ///< the ids fed so far, oldest first
  size_t promptLength = 0;      ///< up to the last id that was prefilled
  Logits logits;                ///< of the last eval
  Attention attention;          ///< of their last row
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_SEQUENCE_H
