//===- PieceMerger.cpp - Merging the characters of a text -----------------===//
//
// A queue of candidate pairs over a linked list of symbols, as in
// BytePairEncoder.cpp. Pieces of the type Unused take part in merges, as steps
// to longer ones; what is left of them at the end is cut into its halves again.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/PieceMerger.h"

using namespace llamaabi;

namespace llamart {

/// Bytes of a character by its first one.
static size_t getCharacterLength(char first) {
  auto byte = static_cast<unsigned char>(first);
  if (byte < 0xC0)
    return 1;
  return byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

void PieceMerger::cut(std::string_view text) {
  while (!text.empty()) {
    size_t length = owner.matchUserDefined(text);
    bool isComplete = length != 0;
    if (!isComplete)
      length = std::min(text.size(), getCharacterLength(text.front()));
    auto index = static_cast<uint32_t>(symbols.size());
    symbols.push_back(
        {text.substr(0, length), index - 1, index + 1, kNone, isComplete});
    text.remove_prefix(length);
  }
  symbols.front().previous = kNone;
  symbols.back().next = kNone;
}

void PieceMerger::findPair(uint32_t left) {
  Symbol &symbol = symbols[left];
  symbol.pair = kNone;
  if (symbol.next == kNone || symbol.isComplete ||
      symbols[symbol.next].isComplete)
    return;
  std::string_view both(symbol.text.data(), // neighbours lie side by side
                        symbol.text.size() + symbols[symbol.next].text.size());
  auto found = owner.mergeable.find(both);
  if (found == owner.mergeable.end())
    return;
  symbol.pair = found->second;
  queue.push(static_cast<uint64_t>(owner.ranks[symbol.pair]) << 32 | left);
  if (owner.model.pieces[symbol.pair].type == TokenClass::Unused)
    halves[symbol.pair] = symbol.text.size();
}

void PieceMerger::merge(uint32_t left) {
  Symbol &symbol = symbols[left];
  Symbol &gone = symbols[symbol.next];
  symbol.text = {symbol.text.data(), symbol.text.size() + gone.text.size()};
  symbol.next = gone.next;
  gone.text = {};
  gone.pair = kNone;
  if (symbol.next != kNone)
    symbols[symbol.next].previous = left;
  if (symbol.previous != kNone)
    findPair(symbol.previous);
  findPair(left);
}

void PieceMerger::run(std::string_view text) {
  if (text.empty())
    return;
  cut(text);
  for (uint32_t i = 0; i + 1 < symbols.size(); ++i)
    findPair(i);
  while (!queue.empty()) {
    uint64_t key = queue.pop();
    auto left = static_cast<uint32_t>(key), rank = uint32_t(key >> 32);
    uint32_t pair = symbols[left].pair;
    if (pair != kNone && owner.ranks[pair] == rank)
      merge(left);
  }
  for (uint32_t i = 0; i != kNone; i = symbols[i].next)
    addResult(symbols[i].text);
}

void PieceMerger::addResult(std::string_view text) {
  std::vector<std::string_view> rest = {text};
  while (!rest.empty()) {
    std::string_view piece = rest.back();
    rest.pop_back();
    uint32_t id = owner.getId(piece);
    auto half = halves.find(id);
    if (half == halves.end()) {
      addId(piece, id);
      continue;
    }
    rest.push_back(piece.substr(half->second));
    rest.push_back(piece.substr(0, half->second));
  }
}

void PieceMerger::addId(std::string_view text, uint32_t id) {
  bool isUnknown = id == owner.unknown;
  if (isUnknown && owner.model.byteFallback) {
    for (unsigned char byte : text)
      ids.push_back(static_cast<int32_t>(owner.bytePieces[byte]));
  } else if (!isUnknown || !wasUnknown) { // neighbours are one unknown
    ids.push_back(static_cast<int32_t>(id));
  }
  wasUnknown = isUnknown;
}

} // namespace llamart
