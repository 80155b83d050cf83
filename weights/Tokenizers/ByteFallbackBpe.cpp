//===- ByteFallbackBpe.cpp - Llama 2's tokenizer.json as sentencepiece ----===//

#include "weights/Tokenizers/ByteFallbackBpe.h"

#include "weights/InputError.h"
#include "weights/Tokenizers/SentencePieceModel.h"
#include "weights/Tokenizers/SpaceSymbol.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;

namespace llamaweights {
namespace {

bool isNormal(const Vocabulary &bpe, uint32_t id) {
  return bpe.types[id] == TokenType::Normal;
}

/// Scores -1, -2, ... in the order of the merges; 0 for what no merge makes.
Expected<std::vector<float>> rankResults(const Vocabulary &bpe,
                                         StringRef where) {
  std::vector<float> scores(bpe.tokens.size(), 0.0f);
  float last = 0.0f;
  for (const auto &[rank, merge] : enumerate(bpe.merges)) {
    float &score = scores[merge.result];
    if (score != 0.0f && score != last)
      return makeInputError(where, "merge " + Twine(rank) + " into " +
                                       quote(bpe.tokens[merge.result]) +
                                       " is apart from the others into it, so "
                                       "this is not a sentencepiece model");
    if (score == 0.0f)
      score = last -= 1.0f;
  }
  return scores;
}

/// sentencepiece would also merge at the cuts that the file does not list.
Error checkComplete(const Vocabulary &bpe, StringRef where) {
  DenseSet<std::pair<uint32_t, uint32_t>> listed;
  for (const Merge &merge : bpe.merges)
    listed.insert({merge.left, merge.right});
  StringMap<uint32_t> ids;
  for (uint32_t id = 0; id < bpe.tokens.size(); ++id)
    if (isNormal(bpe, id))
      ids.try_emplace(bpe.tokens[id], id);
  for (const auto &entry : ids) {
    StringRef token = entry.getKey();
    for (size_t cut = 1; cut < token.size(); ++cut) {
      auto left = ids.find(token.take_front(cut));
      auto right = ids.find(token.drop_front(cut));
      if (left == ids.end() || right == ids.end() ||
          listed.contains({left->second, right->second}))
        continue;
      return makeInputError(where,
                            "no merge joins " + quote(left->getKey()) +
                                " and " + quote(right->getKey()) +
                                ", so this is not a sentencepiece model");
    }
  }
  return Error::success();
}

/// Whether texts get a space in front; none if they are treated in another way
/// than sentencepiece does.
std::optional<bool> recognizeSpaces(const Vocabulary &bpe) {
  using llamaabi::TextStepKind;
  auto isMapping = [](const TextStep &step) {
    return step.kind == TextStepKind::Replace && step.from == kSpaceSymbol &&
           step.to == " ";
  };
  auto isPrefix = [](const TextStep &step) {
    return step.kind == TextStepKind::Prepend && withSpaces(step.to) == " ";
  };
  ArrayRef<TextStep> steps = bpe.steps;
  if (steps.size() == 1 && isMapping(steps[0]))
    return false;
  if (steps.size() == 2 && ((isPrefix(steps[0]) && isMapping(steps[1])) ||
                            (isMapping(steps[0]) && isPrefix(steps[1]))))
    return true;
  return std::nullopt;
}

/// Added tokens that are looked for in a way of their own.
Error checkRules(const Vocabulary &bpe, bool addSpacePrefix, StringRef where) {
  for (const SpecialRule &rule : bpe.specialRules)
    if (rule.stripLeft || rule.stripRight || rule.singleWord ||
        (rule.normalized && addSpacePrefix))
      return makeInputError(where, "tokenizer: added token " +
                                       quote(bpe.tokens[rule.id]) +
                                       " is looked for in a way (normalized, "
                                       "lstrip, rstrip or single_word) that "
                                       "a sentencepiece model cannot express");
  return Error::success();
}

SentencePiece makePiece(const Vocabulary &bpe, size_t id, float score) {
  StringRef text = bpe.tokens[id];
  TokenType type = bpe.types[id];
  bool isUnknown = bpe.unknownToken ? *bpe.unknownToken == id : text == "<unk>";
  if (isUnknown)
    return {text.str(), score, TokenType::Unknown};
  if (type == TokenType::Byte)
    return {"<0x" + utohexstr(uint8_t(text[0]), false, 2) + ">", score, type};
  return {type == TokenType::Normal ? withSpaceSymbols(text) : text.str(),
          score, type};
}

} // namespace

Expected<Vocabulary> convertByteFallbackBpe(const Vocabulary &bpe,
                                            StringRef where) {
  std::optional<bool> addSpacePrefix = recognizeSpaces(bpe);
  if (!addSpacePrefix || bpe.wholePieceFirst)
    return makeInputError(where, "tokenizer: treats spaces or whole words in a "
                                 "way that a sentencepiece model cannot "
                                 "express");
  if (Error error = checkRules(bpe, *addSpacePrefix, where))
    return std::move(error);
  Expected<std::vector<float>> scores = rankResults(bpe, where);
  if (!scores)
    return scores.takeError();
  if (Error error = checkComplete(bpe, where))
    return std::move(error);
  std::vector<SentencePiece> pieces;
  pieces.reserve(bpe.tokens.size());
  for (size_t id = 0; id < bpe.tokens.size(); ++id)
    pieces.push_back(makePiece(bpe, id, (*scores)[id]));
  SentencePieceOptions options;
  options.addSpacePrefix = *addSpacePrefix;
  return makeSentencePieceVocabulary(pieces, options, where);
}

} // namespace llamaweights
