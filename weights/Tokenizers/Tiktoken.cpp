//===- Tiktoken.cpp - tokenizer.model of Llama 3 --------------------------===//
//
// tiktoken has no list of merges: two neighbours may be joined whenever the two
// together are a token, and the one with the lowest rank goes first. So every
// cut of a token into two tokens is a merge with that token's rank.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/Tiktoken.h"

#include "weights/InputError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Base64.h"

using namespace llvm;

namespace llamaweights {
namespace {

// Llama 3's longest token has 128 bytes.
constexpr size_t kLongestToken = 512;
constexpr int64_t kSpecialTokens = 256;

/// "IQ== 0" -> "!"; the rank must be `rank`.
Expected<std::string> readLine(StringRef line, size_t rank,
                               const Twine &where) {
  auto [encoded, number] = line.split(' ');
  std::vector<char> bytes;
  if (Error error = decodeBase64(encoded, bytes)) {
    consumeError(std::move(error));
    return makeInputError(where,
                          "expected base64 and a rank, found " + quote(line));
  }
  uint64_t found;
  if (number.getAsInteger(10, found) || found != rank)
    return makeInputError(where, "expected rank " + Twine(rank) + ", found " +
                                     quote(number));
  if (bytes.empty() || bytes.size() > kLongestToken)
    return makeInputError(where, "token has " + Twine(bytes.size()) +
                                     " bytes, expected 1 to " +
                                     Twine(kLongestToken));
  return std::string(bytes.begin(), bytes.end());
}

std::vector<Merge> deriveMerges(const std::vector<std::string> &tokens,
                                const StringMap<uint32_t> &ids) {
  std::vector<Merge> merges;
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    StringRef token = tokens[id];
    for (size_t cut = 1; cut < token.size(); ++cut) {
      auto left = ids.find(token.take_front(cut));
      auto right = ids.find(token.drop_front(cut));
      if (left != ids.end() && right != ids.end())
        merges.push_back({left->second, right->second, id});
    }
  }
  return merges;
}

/// The special tokens after the ranked ones, as Llama 3.1 and later name them.
std::string getSpecialToken(int64_t index) {
  static const StringLiteral named[] = {
      "<|begin_of_text|>",
      "<|end_of_text|>",
      "<|reserved_special_token_0|>",
      "<|reserved_special_token_1|>",
      "<|finetune_right_pad_id|>",
      "<|step_id|>",
      "<|start_header_id|>",
      "<|end_header_id|>",
      "<|eom_id|>",
      "<|eot_id|>",
      "<|python_tag|>",
  };
  constexpr int64_t kNamed = std::size(named);
  if (index < kNamed)
    return named[index].str();
  return "<|reserved_special_token_" + itostr(index - kNamed + 2) + "|>";
}

void addSpecialTokens(Vocabulary &vocabulary) {
  auto first = int64_t(vocabulary.tokens.size());
  for (int64_t i = 0; i < kSpecialTokens; ++i) {
    vocabulary.tokens.push_back(getSpecialToken(i));
    vocabulary.types.push_back(TokenType::Control);
  }
  vocabulary.bosToken = first;
  vocabulary.addBos = true;
  // end_of_text, eom_id, eot_id
  vocabulary.eosTokens = {first + 1, first + 8, first + 9};
}

} // namespace

bool isTiktoken(StringRef bytes) {
  auto [encoded, number] = bytes.split('\n').first.rtrim('\r').split(' ');
  return !encoded.empty() && !number.empty() && all_of(number, isDigit) &&
         all_of(encoded, [](char c) {
           return isAlnum(c) || c == '+' || c == '/' || c == '=';
         });
}

Expected<Vocabulary> readTiktoken(StringRef bytes, StringRef where) {
  Vocabulary vocabulary;
  StringMap<uint32_t> ids;
  for (size_t rank = 0; !bytes.empty(); ++rank) {
    StringRef line;
    std::tie(line, bytes) = bytes.split('\n');
    line.consume_back("\r");
    if (line.empty() && bytes.empty())
      break;
    std::string here = (where + ": line " + Twine(rank + 1)).str();
    Expected<std::string> token = readLine(line, rank, here);
    if (!token)
      return token.takeError();
    auto [place, isNew] = ids.try_emplace(*token, rank);
    if (!isNew)
      return makeInputError(here,
                            "the same token as rank " + Twine(place->second));
    vocabulary.tokens.push_back(std::move(*token));
  }
  for (unsigned byte = 0; byte < 256; ++byte)
    if (!ids.contains(StringRef(reinterpret_cast<const char *>(&byte), 1)))
      return makeInputError(where, "byte " + Twine(byte) + " has no rank");

  vocabulary.kind = VocabularyKind::ByteLevelBPE;
  vocabulary.types.assign(vocabulary.tokens.size(), TokenType::Normal);
  vocabulary.merges = deriveMerges(vocabulary.tokens, ids);
  vocabulary.equalRankForEqualResult = true;
  vocabulary.preTokenizer = PreTokenizer::Llama3;
  vocabulary.wholePieceFirst = true;
  addSpecialTokens(vocabulary);
  return vocabulary;
}

} // namespace llamaweights
