//===- SentencePieceModel.cpp - tokenizer.model of Llama 2 ----------------===//
//
// Field numbers are those of sentencepiece_model.proto:
//
//   ModelProto      1 pieces*   2 trainer_spec   3 normalizer_spec
//   SentencePiece   1 piece     2 score          3 type
//   TrainerSpec     3 model_type 24 treat_whitespace_as_suffix
//                   35 byte_fallback 40 unk_id 41 bos_id 42 eos_id 43 pad_id
//                   44 unk_surface
//   NormalizerSpec  1 name      2 precompiled_charsmap
//                   3 add_dummy_prefix 4 remove_extra_whitespaces
//
// The library trusts the normalization rules it is given and would read outside
// of them, so they are checked here.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/SentencePieceModel.h"

#include "weights/InputError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Endian.h"

#include <cmath>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr StringLiteral kSpaceSymbol = "\xE2\x96\x81"; // U+2581

//===----------------------------------------------------------------------===//
// Wire format
//===----------------------------------------------------------------------===//

struct WireField {
  uint64_t number = 0;
  uint64_t value = 0; ///< of a number of any width
  StringRef bytes;    ///< of a string or message
  bool isBytes = false;
};

/// Walks the fields of one message.
class WireReader {
public:
  WireReader(StringRef bytes, StringRef where) : rest(bytes), where(where) {}

  /// The next field; none at the end and after a complaint (see takeError).
  std::optional<WireField> next() {
    if (rest.empty() || failed)
      return std::nullopt;
    WireField field;
    uint64_t tag = readVarint();
    field.number = tag >> 3;
    if (field.number == 0)
      failed = true;
    switch (tag & 7) {
    case 0:
      field.value = readVarint();
      break;
    case 1:
      field.value = readFixed<uint64_t>();
      break;
    case 2:
      field.isBytes = true;
      field.bytes = take(readVarint());
      break;
    case 5:
      field.value = readFixed<uint32_t>();
      break;
    default: // groups, which the format does not use
      failed = true;
    }
    if (failed)
      return std::nullopt;
    return field;
  }

  Error takeError() {
    if (!failed)
      return Error::success();
    return makeInputError(
        where, "is not a sentencepiece model: field is broken "
               "or cut off " +
                   Twine(rest.size()) + " bytes before the end of its message");
  }

private:
  StringRef take(uint64_t count) {
    if (failed || count > rest.size()) {
      failed = true;
      return {};
    }
    StringRef taken = rest.take_front(count);
    rest = rest.drop_front(count);
    return taken;
  }

  template <typename T>
  uint64_t readFixed() {
    StringRef bytes = take(sizeof(T));
    return failed ? 0
                  : support::endian::read<T, endianness::little>(bytes.data());
  }

  uint64_t readVarint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      StringRef byte = take(1);
      if (failed)
        return 0;
      value |= uint64_t(byte[0] & 0x7F) << shift;
      if ((byte[0] & 0x80) == 0)
        return value;
    }
    failed = true;
    return 0;
  }

  StringRef rest;
  StringRef where;
  bool failed = false;
};

struct WireWriter {
  std::string bytes;

  void addVarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes += char(value | 0x80);
    bytes += char(value);
  }
  void addNumber(uint64_t field, uint64_t value) {
    addVarint(field << 3);
    addVarint(value);
  }
  void addFloat(uint64_t field, float value) {
    addVarint(field << 3 | 5);
    char raw[4];
    support::endian::write<float, endianness::little>(raw, value);
    bytes.append(raw, sizeof(raw));
  }
  void addBytes(uint64_t field, StringRef value) {
    addVarint(field << 3 | 2);
    addVarint(value.size());
    bytes += value;
  }
  void addPiece(const SentencePiece &piece) {
    WireWriter one;
    one.addBytes(1, piece.text);
    one.addFloat(2, piece.score);
    one.addNumber(3, uint64_t(piece.type));
    addBytes(1, one.bytes);
  }
};

//===----------------------------------------------------------------------===//
// Normalization rules
//===----------------------------------------------------------------------===//

/// A charsmap is a size, a double-array trie of that many bytes and a pool of
/// zero-terminated strings. Walking the trie goes from unit p to the units
/// (p ^ offset(p)) ^ byte; a leaf's value is a place in the pool.
bool isSafeCharsMap(StringRef map) {
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

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// What the model says about itself besides its pieces; defaults of the format.
struct ModelSpec {
  int64_t modelType = 1; ///< 1 unigram, 2 BPE
  int32_t bos = 1, eos = 2;
  std::string unknownSurface = " \xE2\x81\x87 "; ///< what unknown decodes to
  bool spaceAsSuffix = false;
  bool addSpacePrefix = true;
  bool removeExtraSpaces = true;
  StringRef charsMap;
};

std::optional<unsigned> parseBytePiece(StringRef text) {
  unsigned value = 0;
  if (text.size() != 6 || !text.consume_front("<0x") ||
      !text.consume_back(">") || text.getAsInteger(16, value))
    return std::nullopt;
  return value;
}

/// The bytes that a piece stands for in a text.
std::string getPieceBytes(const SentencePiece &piece) {
  if (piece.type == TokenType::Byte)
    return std::string(1, char(parseBytePiece(piece.text).value_or(0)));
  std::string bytes;
  StringRef rest = piece.text;
  while (!rest.empty()) {
    if (rest.consume_front(kSpaceSymbol)) {
      bytes += ' ';
      continue;
    }
    bytes += rest.front();
    rest = rest.drop_front();
  }
  return bytes;
}

/// What the library demands of the pieces together.
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
      return makeInputError(here, "score is not a number");
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
                          const ModelSpec &spec) {
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

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

Expected<SentencePiece> readPiece(StringRef bytes, size_t id, StringRef where) {
  SentencePiece piece;
  WireReader reader(bytes, where);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->isBytes)
      piece.text = field->bytes.str();
    else if (field->number == 2 && !field->isBytes)
      piece.score = bit_cast<float>(uint32_t(field->value));
    else if (field->number == 3 && field->value >= 1 && field->value <= 6)
      piece.type = TokenType(field->value);
    else if (field->number <= 3)
      return makeInputError(where, "piece " + Twine(id) + ": field " +
                                       Twine(field->number) +
                                       " has the wrong type or value");
  }
  if (Error error = reader.takeError())
    return std::move(error);
  return piece;
}

Error readTrainerSpec(StringRef bytes, StringRef where, ModelSpec &spec) {
  WireReader reader(bytes, where);
  while (auto field = reader.next()) {
    if (field->number == 3)
      spec.modelType = int64_t(field->value);
    else if (field->number == 24)
      spec.spaceAsSuffix = field->value != 0;
    else if (field->number == 41)
      spec.bos = int32_t(field->value);
    else if (field->number == 42)
      spec.eos = int32_t(field->value);
    else if (field->number == 44)
      spec.unknownSurface = field->bytes.str();
  }
  return reader.takeError();
}

Error readNormalizerSpec(StringRef bytes, StringRef where, ModelSpec &spec) {
  WireReader reader(bytes, where);
  while (auto field = reader.next()) {
    if (field->number == 2)
      spec.charsMap = field->bytes;
    else if (field->number == 3)
      spec.addSpacePrefix = field->value != 0;
    else if (field->number == 4)
      spec.removeExtraSpaces = field->value != 0;
  }
  return reader.takeError();
}

Error checkSpec(const ModelSpec &spec, StringRef where) {
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

} // namespace

bool isSentencePieceModel(StringRef bytes) {
  // A first field that is a piece, which begins with its text.
  WireReader reader(bytes, "");
  auto field = reader.next();
  bool looksRight = field && field->number == 1 && field->isBytes &&
                    field->bytes.starts_with("\n");
  consumeError(reader.takeError());
  return looksRight;
}

/// Everything in a model that is looked at, checked.
static Error readModel(StringRef bytes, StringRef where,
                       std::vector<SentencePiece> &pieces, ModelSpec &spec) {
  WireReader reader(bytes, where);
  while (auto field = reader.next()) {
    if (field->number == 1) {
      Expected<SentencePiece> piece =
          readPiece(field->bytes, pieces.size(), where);
      if (!piece)
        return piece.takeError();
      pieces.push_back(std::move(*piece));
    } else if (field->number == 2) {
      if (Error error = readTrainerSpec(field->bytes, where, spec))
        return error;
    } else if (field->number == 3) {
      if (Error error = readNormalizerSpec(field->bytes, where, spec))
        return error;
    }
  }
  if (Error error = reader.takeError())
    return error;
  if (Error error = checkSpec(spec, where))
    return error;
  return checkPieces(pieces, where);
}

Expected<std::vector<SentencePiece>>
readSentencePieces(StringRef bytes, StringRef where,
                   SentencePieceOptions &options) {
  std::vector<SentencePiece> pieces;
  ModelSpec spec;
  if (Error error = readModel(bytes, where, pieces, spec))
    return std::move(error);
  options = {spec.addSpacePrefix, spec.removeExtraSpaces, spec.charsMap.str()};
  return pieces;
}

Expected<Vocabulary> readSentencePieceModel(StringRef bytes, StringRef where) {
  std::vector<SentencePiece> pieces;
  ModelSpec spec;
  if (Error error = readModel(bytes, where, pieces, spec))
    return std::move(error);

  Vocabulary vocabulary = makeVocabulary(pieces, spec);
  vocabulary.sentencePieceModel = bytes.str();
  auto isControl = [&](int32_t id) {
    return id >= 0 && size_t(id) < pieces.size() &&
           pieces[id].type == TokenType::Control;
  };
  if (isControl(spec.bos))
    vocabulary.bosToken = spec.bos;
  if (isControl(spec.eos))
    vocabulary.eosTokens = {spec.eos};
  vocabulary.addBos = vocabulary.bosToken.has_value();
  return vocabulary;
}

Expected<Vocabulary>
makeSentencePieceVocabulary(ArrayRef<SentencePiece> pieces,
                            const SentencePieceOptions &options,
                            StringRef where) {
  ModelSpec spec;
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
    model.addPiece(piece);
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

Error appendSentencePieces(ArrayRef<SentencePiece> pieces, StringRef where,
                           Vocabulary &vocabulary) {
  std::vector<SentencePiece> all;
  WireReader reader(vocabulary.sentencePieceModel, where);
  while (auto field = reader.next()) {
    if (field->number != 1)
      continue;
    Expected<SentencePiece> piece = readPiece(field->bytes, all.size(), where);
    if (!piece)
      return piece.takeError();
    all.push_back(std::move(*piece));
  }
  if (Error error = reader.takeError())
    return error;
  all.insert(all.end(), pieces.begin(), pieces.end());
  if (Error error = checkPieces(all, where))
    return error;
  WireWriter more; // fields of one number may stand anywhere in a message
  for (const SentencePiece &piece : pieces) {
    more.addPiece(piece);
    vocabulary.tokens.push_back(getPieceBytes(piece));
    vocabulary.types.push_back(piece.type);
  }
  vocabulary.sentencePieceModel += more.bytes;
  return Error::success();
}

} // namespace llamaweights
