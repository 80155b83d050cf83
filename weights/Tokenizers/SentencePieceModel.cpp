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
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/SentencePieceModel.h"

#include "weights/InputError.h"
#include "weights/Tokenizers/ProtobufWire.h"
#include "weights/Tokenizers/SentencePieceVocabulary.h"

using namespace llvm;

namespace llamaweights {
namespace {

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

Error readTrainerSpec(StringRef bytes, StringRef where,
                      SentencePieceSpec &spec) {
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

Error readNormalizerSpec(StringRef bytes, StringRef where,
                         SentencePieceSpec &spec) {
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
                       std::vector<SentencePiece> &pieces,
                       SentencePieceSpec &spec) {
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
  SentencePieceSpec spec;
  if (Error error = readModel(bytes, where, pieces, spec))
    return std::move(error);
  options = {spec.addSpacePrefix, spec.removeExtraSpaces, spec.charsMap.str()};
  return pieces;
}

Expected<Vocabulary> readSentencePieceModel(StringRef bytes, StringRef where) {
  std::vector<SentencePiece> pieces;
  SentencePieceSpec spec;
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

void leaveOutSpacePrefix(Vocabulary &vocabulary) {
  WireWriter normalizer, more; // of a field given twice the last counts
  normalizer.addNumber(3, 0);
  more.addBytes(3, normalizer.bytes);
  vocabulary.sentencePieceModel += more.bytes;
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
  for (SentencePiece piece : pieces) {
    vocabulary.tokens.push_back(piece.text);
    vocabulary.types.push_back(piece.type);
    piece.type = TokenType::Control;
    addPiece(piece, more);
  }
  vocabulary.sentencePieceModel += more.bytes;
  return Error::success();
}

} // namespace llamaweights
