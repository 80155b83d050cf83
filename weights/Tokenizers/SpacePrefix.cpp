//===- SpacePrefix.cpp - Where texts for tokenizer.model get a space ------===//
//
// The library's own space is turned off in the model, and a step in front of it
// puts one where it belongs.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/SpacePrefix.h"

#include "weights/Containers/JsonObject.h"
#include "weights/FolderFiles.h"
#include "weights/InputError.h"
#include "weights/Tokenizers/JsonBpe.h"
#include "weights/Tokenizers/SentencePieceModel.h"
#include "weights/Tokenizers/SpaceSymbol.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

constexpr StringLiteral kConfig = "tokenizer_config.json";

/// True if the key is absent or null.
Error readFlag(const json &config, const char *key, StringRef path, bool &out) {
  const json &value = getMember(config, key);
  if (value.is_boolean())
    out = value.get<bool>();
  else if (!value.is_null())
    return makeInputError(path, "key " + quote(key) +
                                    ": expected true or false, found " +
                                    describe(value));
  return Error::success();
}

/// The pieces. Versions of transformers differ about models that change texts
/// themselves.
Expected<std::vector<SentencePiece>> readPieces(StringRef folder,
                                                StringRef model) {
  std::string path = getPathIn(folder, "tokenizer.model");
  SentencePieceOptions options;
  auto pieces = readSentencePieces(model, path, options);
  if (!pieces)
    return pieces.takeError();
  auto refuse = [&](const Twine &what) {
    return makeInputError(path, what +
                                    ", which is not supported with legacy "
                                    "or add_prefix_space false in " +
                                    kConfig);
  };
  if (!options.charsMap.empty())
    return refuse("has normalization rules");
  if (options.removeExtraSpaces)
    return refuse("removes spaces");
  if (!options.addSpacePrefix)
    return refuse("puts no space in front of texts");
  return pieces;
}

/// Unknown and user-defined pieces are added tokens to `tokenizers`.
void makeAddedTokens(ArrayRef<SentencePiece> pieces, Vocabulary &vocabulary) {
  DenseSet<uint32_t> known;
  for (const SpecialRule &rule : vocabulary.specialRules)
    known.insert(rule.id);
  for (const auto &[id, piece] : enumerate(pieces)) {
    if (piece.type == TokenType::Unknown) {
      vocabulary.tokens[id] = piece.text;
      vocabulary.types[id] = TokenType::Control;
    }
    if (piece.type == TokenType::UserDefined && !known.contains(uint32_t(id)))
      vocabulary.specialRules.push_back({.id = uint32_t(id)});
  }
}

} // namespace

Error applySpacePrefix(StringRef folder, Vocabulary &vocabulary) {
  std::string path = getPathIn(folder, kConfig);
  Expected<json> config = readJsonIfThere(path);
  if (!config)
    return config.takeError();
  bool everywhere = true, anywhere = true;
  if (Error error = readFlag(*config, "legacy", path, everywhere))
    return error;
  if (Error error = readFlag(*config, "add_prefix_space", path, anywhere))
    return error;
  if (everywhere && anywhere) {
    for (SpecialRule &rule : vocabulary.specialRules)
      rule.normalized = false;
    return Error::success();
  }
  auto pieces = readPieces(folder, vocabulary.sentencePieceModel);
  if (!pieces)
    return pieces.takeError();

  makeAddedTokens(*pieces, vocabulary);
  leaveOutSpacePrefix(vocabulary);
  vocabulary.addSpacePrefix = anywhere;
  if (!anywhere)
    return Error::success();
  using llamaabi::TextPhase;
  using llamaabi::TextStepKind;
  vocabulary.steps = {
      {TextStepKind::Replace, TextPhase::PreTokenize, kSpaceSymbol.str(), " "},
      {TextStepKind::PrefixFirst, TextPhase::PreTokenize, "", " "}};
  return Error::success();
}

} // namespace llamaweights
