//===- Batch.cpp - The rows of one eval -----------------------------------===//

#include "runtime/Engine/Batch.h"

#include <algorithm>
#include <utility>

using namespace llamart;

int64_t SequenceInput::getLogitRows() const {
  switch (logits) {
  case WantLogits::None:
    return 0;
  case WantLogits::Last:
    return 1;
  case WantLogits::All:
    return int64_t(ids.size());
  }
  return 0;
}

Batch::Batch(std::span<const SequenceInput> inputs, int64_t batchRows) {
  for (size_t f = 0; f < inputs.size(); ++f) {
    const SequenceInput &input = inputs[f];
    attention |= input.attention && input.logits != WantLogits::None;
    int32_t position = input.sequence->getLength();
    for (size_t i = 0; i < input.ids.size(); ++i) {
      if (calls.empty() || calls.back().rows == batchRows)
        calls.push_back({int64_t(tokens.size()), 0, int64_t(logitRows.size())});
      Call &call = calls.back();
      bool last = i + 1 == input.ids.size();
      if (input.logits == WantLogits::All ||
          (input.logits == WantLogits::Last && last)) {
        logitRows.push_back(call.rows);
        ++call.logitRows;
      }
      tokens.push_back(input.ids[i]);
      positions.push_back(position++);
      sequences.push_back(f);
      call.prefillRows += input.kind == RowKind::Prefill;
      ++call.rows;
    }
  }
}

void Batch::addTables(std::vector<KVSequence::Growth> rooms) {
  growths = std::move(rooms);
  for (const KVSequence::Growth &growth : growths)
    tableStride = std::max<int64_t>(tableStride, growth.getBlocks().size());
  tables.assign(growths.size() * tableStride, -1);
  for (size_t f = 0; f < growths.size(); ++f)
    std::copy(growths[f].getBlocks().begin(), growths[f].getBlocks().end(),
              tables.begin() + f * tableStride);
}
