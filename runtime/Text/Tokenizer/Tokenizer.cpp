//===- Tokenizer.cpp - Text to token ids and back -------------------------===//
//
// A text is cut at its special tokens; what lies between goes through the
// splitter and the merges, or to the sentencepiece library. The library puts
// its space in front of every such stretch, as Llama 2 was trained: "<s>[INST]"
// is <s>, " [", "INST", "]".
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/Tokenizer.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/BytePairEncoder.h"
#include "runtime/Text/Tokenizer/TokenizerImpl.h"

#include <algorithm>

using namespace llamaabi;

namespace llamart {

Tokenizer::Impl::Impl(const TokenizerBlob &opened)
    : blob(opened), specials(blob),
      splitter(static_cast<SplitRule>(blob.header->splitRule)) {
  if (blob.header->kind == static_cast<uint32_t>(TokenizerKind::ByteLevelBPE))
    return;
  sentencePiece = std::make_unique<SentencePiece>(blob.sentencePieceModel,
                                                  blob.header->vocabSize);
}

void Tokenizer::Impl::encodeText(std::string_view text,
                                 std::vector<int32_t> &ids) const {
  if (text.empty())
    return;
  if (isSentencePiece()) {
    sentencePiece->encode(text, ids);
    return;
  }
  BytePairEncoder encoder(blob);
  splitter.split(text,
                 [&](std::string_view piece) { encoder.encode(piece, ids); });
}

void Tokenizer::Impl::encodeMixed(std::string_view text, bool allowControl,
                                  std::vector<int32_t> &ids) const {
  size_t at = 0;
  while (auto match = specials.find(text, at, allowControl)) {
    encodeText(text.substr(at, match->begin - at), ids);
    ids.push_back(static_cast<int32_t>(match->id));
    at = match->begin + match->length;
  }
  encodeText(text.substr(at), ids);
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

std::unique_ptr<Tokenizer> Tokenizer::open(const void *blob, size_t size) {
  return std::unique_ptr<Tokenizer>(
      new Tokenizer(std::make_unique<Impl>(TokenizerBlob::open(blob, size))));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text,
                                       const EncodeOptions &options) const {
  std::vector<int32_t> ids;
  std::optional<int32_t> bos = getBos();
  bool byRule = options.bos == AddToken::ByRule;
  if (bos && (options.bos == AddToken::Always || (byRule && addsBos())))
    ids.push_back(*bos);
  impl->encodeMixed(text, options.allowSpecial, ids);
  if (byRule && ids.size() > 1 && ids[0] == bos && ids[1] == bos)
    ids.erase(ids.begin());
  bool eosByRule = options.eos == AddToken::ByRule && impl->blob.has(kAddEos);
  if ((options.eos == AddToken::Always || eosByRule) &&
      !impl->blob.eosTokens.empty())
    ids.push_back(static_cast<int32_t>(impl->blob.eosTokens[0]));
  return ids;
}

std::vector<int32_t>
Tokenizer::encode(std::span<const PromptPiece> pieces) const {
  std::vector<int32_t> ids;
  std::string text; // neighbours are one text: merges go across
  for (const PromptPiece &piece : pieces) {
    uint32_t id = piece.special ? impl->specials.lookup(piece.text) : kNoToken;
    if (id == kNoToken) {
      text += piece.text;
      continue;
    }
    impl->encodeMixed(text, /*allowControl=*/false, ids);
    text.clear();
    ids.push_back(static_cast<int32_t>(id));
  }
  impl->encodeMixed(text, /*allowControl=*/false, ids);
  return ids;
}

std::optional<Tokenizer::SpecialPlace>
Tokenizer::findSpecial(std::string_view text, size_t from) const {
  auto match = impl->specials.find(text, from, /*allowControl=*/true);
  if (!match)
    return std::nullopt;
  return SpecialPlace{match->begin, match->length};
}

std::string Tokenizer::decode(std::span<const int32_t> ids,
                              SpecialText special) const {
  StreamDecoder decoder(*this, StreamStart::OfText, special);
  std::string text;
  for (int32_t id : ids)
    text += decoder.push(id);
  return text + decoder.finish();
}

std::string_view Tokenizer::tokenBytes(int32_t id) const {
  return impl->blob.getBytes(static_cast<uint32_t>(id));
}

std::optional<int32_t> Tokenizer::findToken(std::string_view bytes) const {
  uint32_t id = impl->specials.lookup(bytes);
  if (id == kNoToken)
    id = impl->blob.findToken(bytes);
  if (id == kNoToken)
    return std::nullopt;
  return static_cast<int32_t>(id);
}

bool Tokenizer::isControl(int32_t id) const {
  return impl->blob.getType(static_cast<uint32_t>(id)) == TokenClass::Control;
}

int32_t Tokenizer::getVocabSize() const {
  return static_cast<int32_t>(impl->blob.header->vocabSize);
}

std::optional<int32_t> Tokenizer::getBos() const {
  if (impl->blob.header->bosToken == kNoToken)
    return std::nullopt;
  return static_cast<int32_t>(impl->blob.header->bosToken);
}

bool Tokenizer::addsBos() const { return impl->blob.has(kAddBos); }

std::vector<int32_t> Tokenizer::getEos() const {
  return {impl->blob.eosTokens.begin(), impl->blob.eosTokens.end()};
}

bool Tokenizer::isEos(int32_t id) const {
  return std::ranges::find(impl->blob.eosTokens, static_cast<uint32_t>(id)) !=
         impl->blob.eosTokens.end();
}

std::string_view Tokenizer::getChatTemplate() const {
  return impl->blob.chatTemplate;
}

} // namespace llamart
