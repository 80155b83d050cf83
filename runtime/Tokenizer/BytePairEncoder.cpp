//===- BytePairEncoder.cpp - Merging the bytes of a piece -----------------===//
//
// A heap of candidate pairs over a linked list of symbols. A candidate is not
// removed when one of its halves is merged away; it is dropped when it comes up
// and the pair that stands at its place has another rank.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/BytePairEncoder.h"

#include <algorithm>
#include <functional>

namespace llamart {

void BytePairEncoder::pushPair(uint32_t left) {
  uint32_t right = symbols[left].next;
  if (right == kNone)
    return;
  const MergeSlot *merge = blob.findMerge(symbols[left].id, symbols[right].id);
  if (!merge)
    return;
  queue.push_back(static_cast<uint64_t>(merge->rank) << 32 | left);
}

void BytePairEncoder::mergePair(uint32_t left, uint32_t result) {
  Symbol &symbol = symbols[left];
  Symbol &gone = symbols[symbol.next];
  symbol.id = result;
  symbol.next = gone.next;
  gone.id = kNone;
  if (symbol.next != kNone)
    symbols[symbol.next].previous = left;

  size_t before = queue.size();
  pushPair(left);
  if (symbol.previous != kNone)
    pushPair(symbol.previous);
  for (size_t end = before + 1; end <= queue.size(); ++end)
    std::push_heap(queue.begin(), queue.begin() + end, std::greater<>());
}

void BytePairEncoder::encode(std::string_view piece,
                             std::vector<int32_t> &ids) {
  constexpr size_t kLongest = size_t(1) << 31; // indices are 32 bits wide
  while (piece.size() > kLongest) {
    encode(piece.substr(0, kLongest), ids);
    piece.remove_prefix(kLongest);
  }
  if (blob.has(kWholePieceFirst)) {
    uint32_t whole = blob.findToken(piece);
    if (whole != kNoToken) {
      ids.push_back(static_cast<int32_t>(whole));
      return;
    }
  }

  symbols.clear();
  for (unsigned char byte : piece) {
    auto index = static_cast<uint32_t>(symbols.size());
    if (uint32_t id = blob.byteTokens[byte]; id != kNoToken)
      symbols.push_back({id, index - 1, index + 1});
  }
  if (symbols.empty())
    return;
  symbols.front().previous = kNone;
  symbols.back().next = kNone;
  queue.clear();
  for (uint32_t i = 0; i < symbols.size(); ++i)
    pushPair(i);
  std::make_heap(queue.begin(), queue.end(), std::greater<>());

  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    auto left = static_cast<uint32_t>(queue.back());
    auto rank = static_cast<uint32_t>(queue.back() >> 32);
    queue.pop_back();
    if (symbols[left].id == kNone || symbols[left].next == kNone)
      continue;
    const MergeSlot *merge =
        blob.findMerge(symbols[left].id, symbols[symbols[left].next].id);
    if (merge && merge->rank == rank)
      mergePair(left, merge->result);
  }
  for (uint32_t i = 0; i != kNone; i = symbols[i].next)
    ids.push_back(static_cast<int32_t>(symbols[i].id));
}

} // namespace llamart
