//===- BytePairEncoder.cpp - Merging the bytes of a piece -----------------===//
//
// A queue of candidate pairs over a linked list of symbols. A candidate is not
// removed when one of its halves is merged away; it is dropped when it comes up
// and the pair that stands at its place has another rank.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/BytePairEncoder.h"

#include "runtime/Text/Tokenizer/Utf8.h"

using namespace llamaabi;

namespace llamart {

void BytePairEncoder::pushPair(uint32_t left) {
  uint32_t right = symbols[left].next;
  if (right == kNone)
    return;
  const MergeSlot *merge = blob.findMerge(symbols[left].id, symbols[right].id);
  if (!merge)
    return;
  queue.push(static_cast<uint64_t>(merge->rank) << 32 | left);
}

void BytePairEncoder::mergePair(uint32_t left, uint32_t result) {
  Symbol &symbol = symbols[left];
  Symbol &gone = symbols[symbol.next];
  symbol.id = result;
  symbol.next = gone.next;
  gone.id = kNone;
  if (symbol.next != kNone)
    symbols[symbol.next].previous = left;

  pushPair(left);
  if (symbol.previous != kNone)
    pushPair(symbol.previous);
}

void BytePairEncoder::addSymbol(uint32_t id) {
  auto index = static_cast<uint32_t>(symbols.size());
  if (id != kNoToken)
    symbols.push_back({id, index - 1, index + 1});
}

void BytePairEncoder::addBytes(std::string_view piece) {
  for (unsigned char byte : piece)
    addSymbol(blob.byteTokens[byte]);
}

void BytePairEncoder::addCharacters(std::string_view piece) {
  bool wasUnknown = false;
  while (!piece.empty()) {
    std::string_view character = piece.substr(0, stepUtf8(piece).length);
    piece.remove_prefix(character.size());
    uint32_t id = blob.findToken(character);
    bool isUnknown = id == kNoToken && !blob.hasByteTokens(character);
    if (id != kNoToken)
      addSymbol(id);
    else if (!isUnknown)
      addBytes(character);
    else if (!wasUnknown || !blob.has(kFuseUnknown))
      addSymbol(blob.header->unknownToken);
    wasUnknown = isUnknown;
  }
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
  if (blob.isKind(TokenizerKind::CharacterBPE))
    addCharacters(piece);
  else
    addBytes(piece);
  if (symbols.empty())
    return;
  symbols.front().previous = kNone;
  symbols.back().next = kNone;
  for (uint32_t i = 0; i < symbols.size(); ++i)
    pushPair(i);

  while (!queue.empty()) {
    uint64_t key = queue.pop();
    auto left = static_cast<uint32_t>(key), rank = uint32_t(key >> 32);
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
