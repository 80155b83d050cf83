//===- Sequence.cpp - What an engine keeps of one sequence ----------------===//

#include "runtime/Engine/Sequence.h"

#include <algorithm>

using namespace llamart;

void Sequence::reserve(size_t count) {
  size_t needed = history.size() + count;
  if (needed <= std::min(history.capacity(), kinds.capacity()))
    return;
  needed = std::max(needed, 2 * history.size());
  history.reserve(needed);
  kinds.reserve(needed);
}

void Sequence::append(std::span<const int32_t> ids, RowKind kind) noexcept {
  history.insert(history.end(), ids.begin(), ids.end());
  kinds.resize(history.size(), kind);
  if (kind == RowKind::Prefill)
    promptLength = history.size();
}

void Sequence::truncate(int64_t length) noexcept {
  int64_t rows = logits.rows - (getLength() - length);
  cache.truncate(std::min(length, cache.getLength()));
  history.resize(length);
  kinds.resize(length);
  while (promptLength > history.size() ||
         (promptLength > 0 && kinds[promptLength - 1] == RowKind::Decode))
    --promptLength;
  logits.rows = rows;
  if (rows > 0)
    return;
  logits = Logits();
  attention = Attention();
}

AttentionScores Sequence::getScores(int64_t row) const {
  if (!attention.data)
    return {};
  return {attention.data + row * attention.heads * attention.stride,
          attention.heads, getLength() - logits.rows + row + 1,
          attention.stride};
}
