//===- SentencePiece.cpp - Text to ids by the sentencepiece library -------===//

#include "runtime/Text/Tokenizer/SentencePiece.h"

#include "runtime/Error.h"

#include <sentencepiece_processor.h>

namespace llamart {

struct SentencePiece::Library {
  sentencepiece::SentencePieceProcessor processor;
};

SentencePiece::SentencePiece(std::string_view model, uint32_t pieces)
    : library(std::make_unique<Library>()) {
  auto status = library->processor.LoadFromSerializedProto(model);
  if (!status.ok())
    throw Error(
        ErrorKind::Model,
        "tokenizer: sentencepiece refuses the model: ", status.message());
  if (library->processor.GetPieceSize() != static_cast<int>(pieces))
    throw Error(ErrorKind::Model, "tokenizer: the sentencepiece model has ",
                library->processor.GetPieceSize(), " pieces, expected ",
                pieces);
}

SentencePiece::~SentencePiece() = default;

void SentencePiece::encode(std::string_view text,
                           std::vector<int32_t> &ids) const {
  std::vector<int> found;
  auto status = library->processor.Encode(text, &found);
  if (!status.ok())
    throw Error(
        ErrorKind::Model,
        "tokenizer: sentencepiece cannot encode a text: ", status.message());
  ids.insert(ids.end(), found.begin(), found.end());
}

} // namespace llamart
