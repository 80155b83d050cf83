//===- CharacterRules.cpp - Rewriting rules of sentencepiece --------------===//

#include "runtime/Text/Tokenizer/CharacterRules.h"

#include "runtime/Error.h"

#include <cstring>

namespace llamart {

/// What a unit of the trie says.
static uint32_t getLabel(uint32_t unit) { return unit & 0x800000FFU; }
static bool hasLeaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
static uint32_t getValue(uint32_t unit) { return unit & 0x7FFFFFFFU; }
static size_t getOffset(uint32_t unit) {
  return static_cast<size_t>(unit >> 10) << ((unit & 0x200U) >> 6);
}

CharacterRules::CharacterRules(std::string_view bytes) {
  if (bytes.empty())
    return;
  uint32_t trieBytes = 0;
  if (bytes.size() > sizeof(trieBytes))
    std::memcpy(&trieBytes, bytes.data(), sizeof(trieBytes));
  if (trieBytes == 0 || trieBytes % sizeof(uint32_t) != 0 ||
      trieBytes >= bytes.size() - sizeof(trieBytes))
    throw Error(ErrorKind::Model,
                "tokenizer: sentencepiece model: normalization rules have ",
                bytes.size(), " bytes, of which ", trieBytes,
                " are said to be a trie");
  trie = bytes.substr(sizeof(trieBytes), trieBytes);
  pool = bytes.substr(sizeof(trieBytes) + trieBytes);
}

std::optional<uint32_t> CharacterRules::getUnit(size_t at) const {
  uint32_t unit = 0;
  if (at >= trie.size() / sizeof(unit))
    return std::nullopt;
  std::memcpy(&unit, trie.data() + at * sizeof(unit), sizeof(unit));
  return unit;
}

std::optional<std::string_view>
CharacterRules::getReplacement(uint32_t at) const {
  if (at >= pool.size())
    return std::nullopt;
  size_t end = pool.find('\0', at);
  if (end == std::string_view::npos)
    return std::nullopt;
  return pool.substr(at, end - at);
}

std::optional<CharacterRules::Match>
CharacterRules::find(std::string_view text) const {
  std::optional<Match> longest;
  std::optional<uint32_t> unit = getUnit(0);
  size_t node = unit ? getOffset(*unit) : 0;
  for (size_t i = 0; unit && i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    unit = getUnit(node);
    if (!unit || getLabel(*unit) != byte)
      break;
    node ^= getOffset(*unit);
    if (!hasLeaf(*unit))
      continue;
    if (std::optional<uint32_t> leaf = getUnit(node))
      if (auto replacement = getReplacement(getValue(*leaf)))
        longest = Match{i + 1, *replacement};
  }
  return longest;
}

} // namespace llamart
