//===- Batch.h - The rows of one eval ---------------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_ENGINE_BATCH_H
#define LLAMA_RUNTIME_ENGINE_BATCH_H

#include "runtime/Engine/KVCache.h"
#include "runtime/Engine/Sequence.h"
#include "runtime/abi/LlamaABI.h"

#include <cstdint>
#include <span>
#include <vector>

namespace llamart {

enum class WantLogits : uint8_t { None, Last, All };

/// What one sequence is fed.
struct SequenceInput {
  Sequence *sequence = nullptr;
  std::span<const int32_t> ids; ///< at least one
  RowKind kind = RowKind::Prefill;
  WantLogits logits = WantLogits::Last;
  bool attention = false; ///< scores of the last row of logits too

  int64_t getLogitRows() const;
};

/// All rows of all inputs, prefill first, and the calls they make.
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
  std::vector<int32_t> logitRows; // [wanted] row within its call
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
