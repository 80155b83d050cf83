//===- SentencePiece.cpp - Text to ids as sentencepiece has them ----------===//

#include "runtime/Text/Tokenizer/SentencePiece.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/PieceMerger.h"
#include "runtime/Text/Tokenizer/Utf8.h"

#include <algorithm>
#include <functional>

using namespace llamaabi;

namespace llamart {

static constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81"; // U+2581
static constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD

template <typename... Parts>
[[noreturn]] static void fail(const Parts &...parts) {
  throw Error(ErrorKind::Model, "tokenizer: sentencepiece model: ", parts...);
}

SentencePiece::SentencePiece(std::string_view bytes, uint32_t pieces)
    : model(SentencePieceModel::read(bytes)), rules(model.characterRules) {
  if (model.pieces.size() != pieces)
    fail("has ", model.pieces.size(), " pieces, expected ", pieces);
  for (uint32_t id = 0; id < pieces; ++id)
    addPiece(id);
  if (unknown == kNoToken)
    fail("has no unknown piece");
  for (std::vector<size_t> &lengths : userDefinedLengths) {
    std::ranges::sort(lengths, std::greater<>());
    lengths.erase(std::ranges::unique(lengths).begin(), lengths.end());
  }
  rankScores();
  if (model.byteFallback)
    findBytePieces();
}

void SentencePiece::addPiece(uint32_t id) {
  const auto &[text, score, type] = model.pieces[id];
  bool merges = type == TokenClass::Normal || type == TokenClass::Unused ||
                type == TokenClass::UserDefined;
  if (!(merges ? mergeable : reserved).emplace(text, id).second)
    fail("piece ", id, " is there twice");
  if (type == TokenClass::UserDefined)
    userDefinedLengths[static_cast<unsigned char>(text.front())].push_back(
        text.size());
  if (type == TokenClass::Unknown)
    unknown = id;
}

void SentencePiece::rankScores() {
  std::vector<float> scores;
  scores.reserve(model.pieces.size());
  for (const auto &piece : model.pieces)
    scores.push_back(piece.score);
  std::ranges::sort(scores, std::greater<>());
  scores.erase(std::ranges::unique(scores).begin(), scores.end());
  for (const auto &piece : model.pieces) {
    auto place =
        std::ranges::lower_bound(scores, piece.score, std::greater<>());
    ranks.push_back(static_cast<uint32_t>(place - scores.begin()));
  }
}

void SentencePiece::findBytePieces() {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (size_t byte = 0; byte < bytePieces.size(); ++byte) {
    std::string name = {'<', '0', 'x', digits[byte / 16], digits[byte % 16],
                        '>'};
    auto found = reserved.find(name);
    if (found == reserved.end())
      fail("has no piece ", name);
    bytePieces[byte] = found->second;
  }
}

uint32_t SentencePiece::getId(std::string_view text) const {
  for (const auto *pieces : {&reserved, &mergeable})
    if (auto found = pieces->find(text); found != pieces->end())
      return found->second;
  return unknown;
}

size_t SentencePiece::matchUserDefined(std::string_view text) const {
  for (size_t length :
       userDefinedLengths[static_cast<unsigned char>(text.front())]) {
    auto found = mergeable.find(text.substr(0, length));
    if (found != mergeable.end() && found->first.size() == length &&
        model.pieces[found->second].type == TokenClass::UserDefined)
      return length;
  }
  return 0;
}

CharacterRules::Match SentencePiece::rewriteFront(std::string_view text) const {
  if (size_t length = matchUserDefined(text))
    return {length, text.substr(0, length)};
  if (auto match = rules.find(text))
    return *match;
  Utf8Step step = stepUtf8(text);
  if (step.status != Utf8Status::Valid)
    return {1, kReplacement};
  return {step.length, text.substr(0, step.length)};
}

std::string SentencePiece::normalize(std::string_view text) const {
  if (model.removeExtraSpaces)
    while (!text.empty()) {
      CharacterRules::Match front = rewriteFront(text);
      if (front.replacement != " ")
        break;
      text.remove_prefix(front.length);
    }
  std::string result;
  if (text.empty())
    return result;
  std::string_view space = model.escapeSpaces ? kSpaceSymbol : " ";
  if (model.addSpacePrefix)
    result += space;
  bool afterSpace = model.removeExtraSpaces;
  while (!text.empty()) {
    CharacterRules::Match front = rewriteFront(text);
    std::string_view piece = front.replacement;
    while (afterSpace && piece.starts_with(' '))
      piece.remove_prefix(1);
    for (char c : piece)
      if (c == ' ')
        result += space;
      else
        result += c;
    if (!piece.empty())
      afterSpace = model.removeExtraSpaces && piece.ends_with(' ');
    text.remove_prefix(front.length);
  }
  while (model.removeExtraSpaces && result.ends_with(space))
    result.resize(result.size() - space.size());
  return result;
}

void SentencePiece::encode(std::string_view text,
                           std::vector<int32_t> &ids) const {
  constexpr size_t kLongest = size_t(1) << 31; // indices are 32 bits wide
  std::string changed = normalize(text);
  std::string_view rest = changed;
  for (; rest.size() > kLongest; rest.remove_prefix(kLongest))
    PieceMerger(*this, ids).run(rest.substr(0, kLongest));
  PieceMerger(*this, ids).run(rest);
}

} // namespace llamart
