//===- ByteFallbackBpe.cpp - Llama 2's tokenizer.json as sentencepiece ----===//

#include "weights/Tokenizers/ByteFallbackBpe.h"

#include "weights/InputError.h"
#include "weights/Tokenizers/SentencePieceModel.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;

namespace llamaweights {
namespace {

bool isNormal(const JsonBpe &bpe, uint32_t id) {
  return bpe.types[id] == TokenType::Normal;
}

/// Scores -1, -2, ... in the order of the merges; 0 for what no merge makes.
Expected<std::vector<float>> rankResults(const JsonBpe &bpe, StringRef where) {
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
Error checkComplete(const JsonBpe &bpe, StringRef where) {
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

} // namespace

Expected<Vocabulary> convertByteFallbackBpe(const JsonBpe &bpe,
                                            bool addSpacePrefix,
                                            StringRef where) {
  Expected<std::vector<float>> scores = rankResults(bpe, where);
  if (!scores)
    return scores.takeError();
  if (Error error = checkComplete(bpe, where))
    return std::move(error);
  std::vector<SentencePiece> pieces;
  pieces.reserve(bpe.tokens.size());
  for (size_t id = 0; id < bpe.tokens.size(); ++id)
    pieces.push_back({bpe.tokens[id], (*scores)[id], bpe.types[id]});
  SentencePieceOptions options;
  options.addSpacePrefix = addSpacePrefix;
  return makeSentencePieceVocabulary(pieces, options, where);
}

} // namespace llamaweights
