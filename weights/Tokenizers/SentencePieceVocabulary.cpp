//===- SentencePieceVocabulary.cpp - Pieces of a sentencepiece model as a Vocabulary ===//
//
// The library trusts the normalization rules it is given and would read outside
// of them, so they are checked here.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/SentencePieceVocabulary.h"

#include "weights/Tokenizers/SpaceSymbol.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/ConvertUTF.h"

#include <cmath>

using namespace llvm;

namespace llamaweights {

/// A charsmap is a size, a double-array trie of that many bytes and a pool of
/// zero-terminated strings. Walking the trie goes from unit p to the units
/// (p ^ offset(p)) ^ byte; a leaf's value is a place in the pool.
static bool isSafeCharsMap(StringRef map) {
  using support::endian::read32le;
  if (map.empty())
    return true;
  if (map.size() <= 4)
    return false;
  uint64_t trieBytes = read32le(map.data());
  if (trieBytes == 0 || trieBytes % 4 != 0 || trieBytes >= map.size() - 4)
    return false;
  StringRef trie = map.substr(4, trieBytes), pool = map.substr(4 + trieBytes);
  if (pool.back() != '\0')
    return false;
  uint64_t units = trieBytes / 4;
  for (uint64_t p = 0; p < units; ++p) {
    uint32_t unit = read32le(trie.data() + 4 * p);
    if (unit >> 31) // a value, which no byte leads to
      continue;
    uint64_t next = p ^ (uint64_t(unit >> 10) << ((unit & (1u << 9)) >> 6));
    if ((next | 0xFF) >= units)
      return false;
    bool hasLeaf = (unit >> 8) & 1;
    if (hasLeaf &&
        (read32le(trie.data() + 4 * next) & 0x7FFFFFFFu) >= pool.size())
      return false;
  }
  return true;
}

static std::optional<unsigned> parseBytePiece(StringRef text) {
  unsigned value = 0;
  if (text.size() != 6 || !text.consume_front("<0x") ||
      !text.consume_back(">") || text.getAsInteger(16, value))
    return std::nullopt;
  return value;
}

std::string getPieceBytes(const SentencePiece &piece) {
  if (piece.type == TokenType::Byte)
    return std::string(1, char(parseBytePiece(piece.text).value_or(0)));
  return withSpaces(piece.text);
}

Error checkPieces(ArrayRef<SentencePiece> pieces, StringRef where) {
  StringSet<> texts;
  unsigned unknown = 0, bytes = 0;
  for (const auto &[id, piece] : enumerate(pieces)) {
    std::string here = (where + ": piece " + Twine(id)).str();
    const auto *begin = reinterpret_cast<const UTF8 *>(piece.text.data());
    if (piece.text.empty() || piece.text.find('\0') != std::string::npos)
      return makeInputError(here, "is empty or holds a zero byte");
    if (!isLegalUTF8String(&begin, begin + piece.text.size()))
      return makeInputError(here, "is not UTF-8");
    if (!texts.insert(piece.text).second)
      return makeInputError(here, quote(piece.text) + " is there twice");
    if (!std::isfinite(piece.score))
      return makeInputError(
          here, "score is NaN or infinite, expected a finite number");
    if (piece.type == TokenType::Byte && !parseBytePiece(piece.text))
      return makeInputError(here, "expected a byte like '<0x0A>', found " +
                                      quote(piece.text));
    unknown += piece.type == TokenType::Unknown;
    bytes += piece.type == TokenType::Byte;
  }
  if (unknown != 1)
    return makeInputError(where, "has " + Twine(unknown) +
                                     " unknown pieces, expected 1");
  if (bytes != 0 && bytes != 256)
    return makeInputError(where, "has " + Twine(bytes) +
                                     " byte pieces, expected none or 256");
  return Error::success();
}

Vocabulary makeVocabulary(ArrayRef<SentencePiece> pieces,
                          const SentencePieceSpec &spec) {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::SentencePiece;
  for (const SentencePiece &piece : pieces) {
    vocabulary.tokens.push_back(piece.type == TokenType::Unknown
                                    ? spec.unknownSurface
                                    : getPieceBytes(piece));
    vocabulary.types.push_back(piece.type);
  }
  vocabulary.addSpacePrefix = spec.addSpacePrefix;
  vocabulary.removeExtraSpaces = spec.removeExtraSpaces;
  return vocabulary;
}

Error checkSpec(const SentencePieceSpec &spec, StringRef where) {
  if (spec.modelType == 1)
    return makeInputError(where, "is a unigram model, whose ids depend on the "
                                 "version of sentencepiece; expected a BPE, or "
                                 "a tokenizer.json next to it");
  if (spec.modelType != 2)
    return makeInputError(where, "model type is " + Twine(spec.modelType) +
                                     ", expected 2 (BPE)");
  if (spec.spaceAsSuffix)
    return makeInputError(where, "spaces belong to the word before them, which "
                                 "is not supported");
  if (!isSafeCharsMap(spec.charsMap))
    return makeInputError(where, "normalization rules are broken");
  return Error::success();
}

void addPiece(const SentencePiece &piece, WireWriter &model) {
  WireWriter one;
  one.addBytes(1, piece.text);
  one.addFloat(2, piece.score);
  one.addNumber(3, uint64_t(piece.type));
  model.addBytes(1, one.bytes);
}

Expected<Vocabulary>
makeSentencePieceVocabulary(ArrayRef<SentencePiece> pieces,
                            const SentencePieceOptions &options,
                            StringRef where) {
  SentencePieceSpec spec;
  spec.modelType = 2;
  spec.addSpacePrefix = options.addSpacePrefix;
  spec.removeExtraSpaces = options.removeExtraSpaces;
  spec.charsMap = options.charsMap;
  if (Error error = checkSpec(spec, where))
    return std::move(error);
  if (Error error = checkPieces(pieces, where))
    return std::move(error);

  WireWriter model, trainer, normalizer;
  bool byteFallback = false;
  for (const SentencePiece &piece : pieces) {
    addPiece(piece, model);
    byteFallback |= piece.type == TokenType::Byte;
  }
  trainer.addNumber(3, spec.modelType);
  trainer.addNumber(35, byteFallback);
  normalizer.addBytes(1, options.charsMap.empty() ? "identity" : "given");
  normalizer.addBytes(2, options.charsMap);
  normalizer.addNumber(3, options.addSpacePrefix);
  normalizer.addNumber(4, options.removeExtraSpaces);
  model.addBytes(2, trainer.bytes);
  model.addBytes(3, normalizer.bytes);

  Vocabulary vocabulary = makeVocabulary(pieces, spec);
  vocabulary.sentencePieceModel = std::move(model.bytes);
  return vocabulary;
}
} // namespace llamaweights
