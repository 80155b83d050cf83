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

namespace {

// The rows of one input, in the order of their positions.
class Rows {
public:
  Rows(const SequenceInput &input, int32_t number)
      : input(input), number(number), restored(input.getRestored()),
        count(input.getRows()) {}

  bool isAtEnd() const { return next == count; }
  RowKind getKind() const {
    return next < restored ? input.sequence->kinds[getPosition()] : input.kind;
  }

  /// Adds the rows of one kind that come next.
  void addRun(Batch &to, int64_t batchRows) {
    for (RowKind kind = getKind(); !isAtEnd() && getKind() == kind; ++next)
      addRow(to, kind, batchRows);
  }

private:
  int64_t getPosition() const {
    return input.sequence->cache.getLength() + next;
  }

  bool wantsLogits() const {
    if (next < restored)
      return false;
    return input.logits == WantLogits::All ||
           (input.logits == WantLogits::Last && next + 1 == count);
  }

  void addRow(Batch &to, RowKind kind, int64_t batchRows) const {
    if (to.calls.back().rows == batchRows)
      beginCall(to);
    Batch::Call &call = to.calls.back();
    if (next == restored)
      to.firstLogitRows[number] = int64_t(to.logitRows.size());
    if (wantsLogits()) {
      to.logitRows.push_back(int32_t(call.rows));
      ++call.logitRows;
    }
    to.tokens.push_back(next < restored ? input.sequence->history[getPosition()]
                                        : input.ids[next - restored]);
    to.positions.push_back(int32_t(getPosition()));
    to.sequences.push_back(number);
    call.prefillRows += kind == RowKind::Prefill;
    ++call.rows;
  }

public:
  static void beginCall(Batch &to) {
    to.calls.push_back(
        {int64_t(to.tokens.size()), 0, int64_t(to.logitRows.size())});
  }

private:
  const SequenceInput &input;
  int32_t number; // of the input
  int64_t restored, count;
  int64_t next = 0;
};

} // namespace

Batch::Batch(std::span<const SequenceInput> inputs, int64_t batchRows)
    : firstLogitRows(inputs.size()) {
  std::vector<Rows> all;
  for (size_t f = 0; f < inputs.size(); ++f) {
    all.emplace_back(inputs[f], int32_t(f));
    attention |= inputs[f].attention && inputs[f].logits != WantLogits::None;
  }
  auto isAtEnd = [](const Rows &rows) { return rows.isAtEnd(); };
  while (!std::ranges::all_of(all, isAtEnd)) {
    Rows::beginCall(*this);
    std::vector<Rows *> decoding; // of this round
    for (Rows &rows : all) {
      if (rows.isAtEnd())
        continue;
      if (rows.getKind() == RowKind::Decode)
        decoding.push_back(&rows);
      else
        rows.addRun(*this, batchRows);
    }
    for (Rows *rows : decoding)
      rows->addRun(*this, batchRows);
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
