//===- SentencePieceModel.cpp - A serialized ModelProto -------------------===//
//
// A field of another wire type than the one that it should have is one that a
// reader does not know: it is passed over, as protobuf does. Of a field given
// twice the last counts, also where the message around it is given twice.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/SentencePieceModel.h"

#include "runtime/Error.h"

#include <bit>
#include <cmath>
#include <cstring>

using namespace llamaabi;

namespace llamart {
namespace {

template <typename... Parts>
[[noreturn]] void refuseModel(const Parts &...parts) {
  throw Error(ErrorKind::Model, "tokenizer: sentencepiece model: ", parts...);
}

/// The fields of a message, one after the other.
class Fields {
public:
  explicit Fields(std::string_view bytes) : rest(bytes) {}

  /// Goes to the next field; false at the end.
  bool next() {
    if (rest.empty())
      return false;
    uint64_t tag = readVarint();
    number = tag >> 3;
    wireType = tag & 7;
    switch (wireType) {
    case 0:
      value = readVarint();
      return true;
    case 1:
      take(sizeof(uint64_t));
      return true;
    case 2:
      bytes = take(readVarint());
      return true;
    case 5:
      std::memcpy(&fixed, take(sizeof(fixed)).data(), sizeof(fixed));
      return true;
    default: // groups, which the format does not use
      refuseModel("has a field of wire type ", wireType);
    }
  }

  bool isNumber(uint64_t n) const { return number == n && wireType == 0; }
  bool isBytes(uint64_t n) const { return number == n && wireType == 2; }
  bool isFloat(uint64_t n) const { return number == n && wireType == 5; }

  uint64_t value = 0;
  std::string_view bytes;
  float getFloat() const { return std::bit_cast<float>(fixed); }

private:
  std::string_view take(uint64_t count) {
    if (count > rest.size())
      refuseModel("is cut off ", rest.size(),
                  " bytes before the end of a message");
    std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }

  uint64_t readVarint() {
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      auto byte = static_cast<unsigned char>(take(1).front());
      result |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0)
        return result;
    }
    refuseModel("has a number of more than ten bytes");
  }

  std::string_view rest;
  uint64_t number = 0, wireType = 0;
  uint32_t fixed = 0;
};

SentencePieceModel::Piece readPiece(std::string_view bytes) {
  SentencePieceModel::Piece piece;
  for (Fields field(bytes); field.next();) {
    if (field.isBytes(1))
      piece.text = field.bytes;
    else if (field.isFloat(2))
      piece.score = field.getFloat();
    else if (field.isNumber(3) && field.value >= 1 && field.value <= 6)
      piece.type = static_cast<TokenClass>(field.value);
  }
  if (piece.text.empty() || !std::isfinite(piece.score))
    refuseModel("has a piece without text or with a score that is not finite");
  return piece;
}

void readTrainerSpec(std::string_view bytes, SentencePieceModel &model) {
  for (Fields field(bytes); field.next();) {
    if (field.isNumber(3))
      model.modelType = field.value;
    else if (field.isNumber(24))
      model.spaceAsSuffix = field.value != 0;
    else if (field.isNumber(35))
      model.byteFallback = field.value != 0;
  }
}

void readNormalizerSpec(std::string_view bytes, SentencePieceModel &model) {
  for (Fields field(bytes); field.next();) {
    if (field.isBytes(2))
      model.characterRules = field.bytes;
    else if (field.isNumber(3))
      model.addSpacePrefix = field.value != 0;
    else if (field.isNumber(4))
      model.removeExtraSpaces = field.value != 0;
    else if (field.isNumber(5))
      model.escapeSpaces = field.value != 0;
  }
}

} // namespace

SentencePieceModel SentencePieceModel::read(std::string_view bytes) {
  SentencePieceModel model;
  for (Fields field(bytes); field.next();) {
    if (field.isBytes(1))
      model.pieces.push_back(readPiece(field.bytes));
    else if (field.isBytes(2))
      readTrainerSpec(field.bytes, model);
    else if (field.isBytes(3))
      readNormalizerSpec(field.bytes, model);
  }
  if (model.modelType != 2 || model.spaceAsSuffix)
    refuseModel("expected a BPE (type 2) with spaces before words, found type ",
                model.modelType,
                model.spaceAsSuffix ? " with spaces after them" : "");
  return model;
}

} // namespace llamart
