//===- Batch.h - The rows of one eval ---------------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_ENGINE_BATCH_H
#define LLAMA_RUNTIME_ENGINE_BATCH_H

#include "runtime/Engine/KVCache.h"
#include "runtime/Engine/Sequence.h"
#include "runtime/abi/LlamaABI.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace llamart {

enum class WantLogits : uint8_t { None, Last, All };

/// What one sequence is fed.
struct SequenceInput {
  static constexpr int64_t kAll = INT64_MAX;

  Sequence *sequence = nullptr;
  std::span<const int32_t> ids; ///< may be empty if positions are missing
  RowKind kind = RowKind::Prefill;
  WantLogits logits = WantLogits::Last;
  bool attention = false; ///< scores of the rows of logits too
  /// So many of the positions that its cache has lost are computed first; all,
  /// if there are ids.
  int64_t restore = kAll;

  int64_t getRestored() const {
    return std::min(restore, sequence->getMissing());
  }
  int64_t getRows() const { return getRestored() + int64_t(ids.size()); }
  int64_t getLogitRows() const;
};

/// All rows of all inputs and the calls they make. Rows of a call stand with
/// the prefill rows first, so a sequence whose kinds of rows take turns, as
/// those of a chat do, is restored in as many rounds.
struct Batch {
  struct Call {
    int64_t firstRow = 0;
    int64_t rows = 0;
    int64_t firstLogitRow = 0;
    int64_t logitRows = 0;
    int64_t prefillRows = 0;
  };

  Batch(std::span<const SequenceInput> inputs, int64_t batchRows);
  void addTables(std::vector<KVSequence::Growth> growths);

  std::vector<int32_t> tokens, positions, sequences; // [rows]
  std::vector<int32_t> logitRows;      // [wanted] row within its call
  std::vector<int64_t> firstLogitRows; // [inputs] index of its first one
  std::vector<Call> calls;
  std::vector<KVSequence::Growth> growths; // [inputs]
  int64_t tableStride = 0;
  std::vector<int32_t> tables; // [inputs, tableStride], -1 beyond the blocks
  bool attention = false;      // whether an input wants scores

  /// Positions that a row of scores has room for: those of the tables.
  int64_t getScoreStride() const { return tableStride * LLAMA_KV_BLOCK; }
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_BATCH_H
