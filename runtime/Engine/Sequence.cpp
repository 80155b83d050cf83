//===- Sequence.cpp - What an engine keeps of one sequence ----------------===//

#include "runtime/Engine/Sequence.h"

#include <algorithm>

using namespace llamart;

void Sequence::reserve(size_t count) {
  size_t needed = history.size() + count;
  if (needed > history.capacity())
    history.reserve(std::max(needed, 2 * history.capacity()));
}

void Sequence::append(std::span<const int32_t> ids, RowKind kind) noexcept {
  history.insert(history.end(), ids.begin(), ids.end());
  if (kind == RowKind::Prefill)
    promptLength = history.size();
}
