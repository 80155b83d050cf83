//===- UnigramEncoder.cpp - The best cut of a text into tokens ------------===//
//
// Viterbi's algorithm from the front; then back from the end.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/UnigramEncoder.h"

#include "runtime/Text/Tokenizer/Utf8.h"

#include <algorithm>

using namespace llamaabi;

namespace llamart {

static constexpr double kUnknownPenalty = 10.0;

UnigramEncoder::UnigramEncoder(const TokenizerBlob &blob) : blob(blob) {
  if (!blob.scores.empty())
    unknownScore = std::ranges::min(blob.scores) - kUnknownPenalty;
}

/// The value of "<0x4A>", or -1: in these vocabularies text becomes the token of
/// a byte where it spells it.
static int parseByteName(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (text.size() < 6 || !text.starts_with("<0x") || text[5] != '>')
    return -1;
  size_t high = digits.find(text[3]), low = digits.find(text[4]);
  if (high == std::string_view::npos || low == std::string_view::npos)
    return -1;
  return static_cast<int>(high * 16 + low);
}

void UnigramEncoder::extend(std::string_view piece, size_t at,
                            std::vector<Node> &ends) const {
  std::string_view rest = piece.substr(at);
  size_t character = stepUtf8(rest).length;
  bool hasCharacter = false;
  auto offer = [&](size_t length, uint32_t id, double score) {
    Node &node = ends[at + length];
    double sum = score + ends[at].score;
    if (node.length == 0 || sum > node.score)
      node = {sum, static_cast<uint32_t>(length), id};
    hasCharacter |= length == character;
  };
  int byte = parseByteName(rest);
  size_t longest =
      std::min<size_t>(rest.size(), std::max<size_t>(blob.header->longestToken,
                                                     byte >= 0 ? 6 : 0));
  for (size_t length = 1; length <= longest; ++length) {
    uint32_t id = blob.findToken(rest.substr(0, length));
    if (length == 6 && byte >= 0 && id == kNoToken)
      id = blob.byteTokens[size_t(byte)];
    if (id < blob.scores.size())
      offer(length, id, blob.scores[id]);
  }
  if (!hasCharacter)
    offer(character, blob.header->unknownToken, unknownScore);
}

void UnigramEncoder::appendUnknown(std::string_view text,
                                   std::vector<int32_t> &ids) const {
  if (blob.hasByteTokens(text)) {
    for (unsigned char byte : text)
      ids.push_back(static_cast<int32_t>(blob.byteTokens[byte]));
    return;
  }
  if (blob.header->unknownToken != kNoToken)
    ids.push_back(static_cast<int32_t>(blob.header->unknownToken));
}

void UnigramEncoder::encode(std::string_view piece,
                            std::vector<int32_t> &ids) const {
  constexpr size_t kLongest = size_t(1) << 31; // lengths are 32 bits wide
  while (piece.size() > kLongest) {
    size_t valid = getValidPrefix(piece.substr(0, kLongest));
    encode(piece.substr(0, valid), ids);
    piece.remove_prefix(valid);
  }
  std::vector<Node> ends(piece.size() + 1);
  for (size_t at = 0; at < piece.size();
       at += stepUtf8(piece.substr(at)).length)
    extend(piece, at, ends);

  std::vector<std::pair<std::string_view, uint32_t>> tokens; // from the end
  for (size_t end = piece.size(); end > 0;) {
    const Node &node = ends[end];
    size_t begin = end - node.length;
    bool isUnknown = node.id == blob.header->unknownToken;
    if (isUnknown && !tokens.empty() && tokens.back().second == node.id) {
      size_t length = tokens.back().first.size() + node.length;
      tokens.back().first = piece.substr(begin, length);
    } else {
      tokens.push_back({piece.substr(begin, node.length), node.id});
    }
    end = begin;
  }
  std::ranges::reverse(tokens);
  for (const auto &[text, id] : tokens) {
    uint32_t known = id;
    if (id == blob.header->unknownToken) // "<unk>" in a text is a token, too
      known = blob.findToken(text);
    if (known == kNoToken)
      appendUnknown(text, ids);
    else
      ids.push_back(static_cast<int32_t>(known));
  }
}

} // namespace llamart
