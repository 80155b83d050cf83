//===- PieceVocabulary.cpp - A tokenizer.json whose tokens are pieces of text ===//
//
// Tokens are kept as the text they stand for: a space for U+2581, the byte for
// "<0x0A>". Added tokens are kept as they are looked for.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/PieceVocabulary.h"

#include "weights/InputError.h"
#include "weights/Tokenizers/JsonSteps.h"
#include "weights/Tokenizers/SpaceSymbol.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {

bool isPieceTokenizer(const BpeReader &reader) {
  auto steps =
      getSteps(getMember(reader.root, "pre_tokenizer"), "pretokenizers");
  auto isMetaspace = [](const json &step) {
    return getType(step) == "Metaspace";
  };
  return reader.isUnigram() || any_of(steps, isMetaspace) ||
         getBool(reader.model, "byte_fallback", false);
}

/// The byte that "<0x0A>" stands for.
static std::optional<char> parseByte(StringRef text) {
  unsigned value = 0;
  if (text.size() != 6 || !text.consume_front("<0x") ||
      !text.consume_back(">") || text.getAsInteger(16, value) ||
      text != StringRef(text).upper())
    return std::nullopt;
  return char(value);
}

/// Marks the tokens of bytes, of which there are none or 256.
static Error findBytes(const BpeReader &reader, JsonBpe &bpe) {
  size_t count = 0;
  for (size_t id = 0; id < bpe.tokens.size(); ++id) {
    if (bpe.types[id] != TokenType::Normal || !parseByte(bpe.tokens[id]))
      continue;
    bpe.types[id] = TokenType::Byte;
    ++count;
  }
  if (count == 0 || count == 256)
    return Error::success();
  return reader.fail("model.vocab", "has " + Twine(count) +
                                        " tokens of bytes, expected none or "
                                        "256");
}

static Error readUnknown(const BpeReader &reader, Vocabulary &vocabulary) {
  const json &unknown =
      getMember(reader.model, reader.isUnigram() ? "unk_id" : "unk_token");
  vocabulary.fuseUnknown =
      reader.isUnigram() || getBool(reader.model, "fuse_unk", false);
  if (unknown.is_null() && reader.isUnigram())
    return reader.fail("model.unk_id", "is missing");
  if (unknown.is_null())
    return Error::success();
  if (reader.isUnigram()) {
    if (!unknown.is_number_unsigned() ||
        unknown.get<uint64_t>() >= reader.bpe.scores.size())
      return reader.fail("model.unk_id", "expected an id below " +
                                             Twine(reader.bpe.scores.size()) +
                                             ", found " +
                                             quote(unknown.dump()));
    vocabulary.unknownToken = unknown.get<uint32_t>();
    return Error::success();
  }
  auto found = reader.ids.find(getString(reader.model, "unk_token"));
  if (found == reader.ids.end())
    return reader.fail("model.unk_token",
                       "there is no token " + quote(unknown.dump()));
  vocabulary.unknownToken = found->second;
  return Error::success();
}

/// Tokens as text; those with a space where a text has none by then are never
/// met.
static void takeTokens(JsonBpe &bpe, bool mapsSpaces, Vocabulary &vocabulary) {
  for (auto [text, type] : zip_equal(bpe.tokens, bpe.types)) {
    if (auto byte = type == TokenType::Byte ? parseByte(text) : std::nullopt) {
      vocabulary.tokens.push_back(std::string(1, static_cast<char>(*byte)));
    } else if (type == TokenType::Normal && mapsSpaces) {
      vocabulary.tokens.push_back(withSpaces(text));
      if (StringRef(text).contains(' '))
        type = TokenType::Unused;
    } else {
      vocabulary.tokens.push_back(text);
    }
    vocabulary.types.push_back(type);
  }
}

Expected<Vocabulary> readPieceVocabulary(BpeReader &reader) {
  JsonSteps steps;
  if (Error error = readNormalizer(reader, steps))
    return std::move(error);
  if (Error error = readMetaspace(reader, steps))
    return std::move(error);
  JsonBpe &bpe = reader.bpe;
  if (getBool(reader.model, "byte_fallback", false))
    if (Error error = findBytes(reader, bpe))
      return std::move(error);

  Vocabulary vocabulary;
  vocabulary.kind = reader.isUnigram() ? VocabularyKind::Unigram
                                       : VocabularyKind::CharacterBPE;
  vocabulary.wholePieceFirst = getBool(reader.model, "ignore_merges", false);
  vocabulary.steps = std::move(steps.steps);
  if (Error error = readUnknown(reader, vocabulary))
    return std::move(error);
  takeTokens(bpe, steps.mapsSpaces, vocabulary);
  if (Error error = readPieceDecoder(reader, steps.mapsSpaces, vocabulary))
    return std::move(error);
  vocabulary.merges = std::move(bpe.merges);
  vocabulary.specialRules = std::move(bpe.rules);
  if (reader.isUnigram()) {
    vocabulary.scores = std::move(bpe.scores);
    // Added tokens are never chosen by their scores.
    vocabulary.scores.resize(vocabulary.tokens.size(),
                             *max_element(vocabulary.scores));
  }
  return vocabulary;
}

} // namespace llamaweights
