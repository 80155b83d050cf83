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
#include <string>
#include <utility>
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

/// The last layer's scores of the rows that have logits, kept alive by whoever
/// looks at them.
struct Attention {
  std::shared_ptr<const Pages> pages;
  const float *data = nullptr; ///< [rows, heads, stride]; null if nobody asked
  int64_t heads = 0, stride = 0;
};

struct Sequence {
  explicit Sequence(KVPool &pool, std::string salt = "")
      : pool(&pool), salt(std::move(salt)), cache(pool) {}

  int64_t getLength() const { return int64_t(history.size()); }

  /// Positions that the cache has lost; they are its last ones.
  int64_t getMissing() const { return getLength() - cache.getLength(); }

  /// Makes append() of so many ids unable to fail.
  void reserve(size_t count);
  void append(std::span<const int32_t> ids, RowKind kind) noexcept;

  /// Forgets the positions from `length` on. Logits of the position before it
  /// become the last; if there are none of it, none are left.
  void truncate(int64_t length) noexcept;

  /// Of a row of the logits; no data if nobody asked.
  AttentionScores getScores(int64_t row) const;

  const KVPool *pool;           ///< of its engine
  std::string salt;             ///< of the beginnings it shares
  KVSequence cache;             ///< of its first positions, mostly of all
  std::vector<int32_t> history; ///< the ids fed so far, oldest first
  std::vector<RowKind> kinds;   ///< how each of them was fed
  size_t promptLength = 0;      ///< up to the last id that was prefilled
  Logits logits;       ///< of the last positions, as the last eval asked
  Attention attention; ///< of the same rows
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_SEQUENCE_H
