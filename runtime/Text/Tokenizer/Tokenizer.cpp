//===- Tokenizer.cpp - Text to token ids and back -------------------------===//
//
// A text is cut at its special tokens; what lies between goes through the steps
// of the normalizer, is cut at the special tokens that are looked for after it,
// and goes through the other steps, the splitter and the merges, or to the
// model of sentencepiece. That puts its space in front of every such stretch, as
// Llama 2 was trained: "<s>[INST]" is <s>, " [", "INST", "]".
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/Tokenizer.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/BytePairEncoder.h"
#include "runtime/Text/Tokenizer/TokenizerImpl.h"
#include "runtime/Text/Tokenizer/UnicodeForms.h"
#include "runtime/Text/Tokenizer/UnigramEncoder.h"
#include "runtime/Text/Tokenizer/Utf8.h"

#include <algorithm>

using namespace llamaabi;

namespace llamart {

Tokenizer::Impl::Impl(const TokenizerBlob &opened)
    : blob(opened), steps(blob.textSteps), specials(blob, steps),
      splitter(static_cast<SplitRule>(blob.header->splitRule)) {
  if (!blob.isKind(TokenizerKind::SentencePiece))
    return;
  sentencePiece = std::make_unique<SentencePiece>(blob.sentencePieceModel,
                                                  blob.header->vocabSize);
}

void Tokenizer::Impl::encodeText(std::string_view text, bool isStart,
                                 std::vector<int32_t> &ids) const {
  if (text.empty())
    return;
  std::string changed;
  if (steps.has(TextPhase::PreTokenize)) {
    changed = steps.run(TextPhase::PreTokenize, text, isStart);
    text = changed;
  }
  if (isSentencePiece())
    return sentencePiece->encode(text, ids);
  if (blob.isKind(TokenizerKind::Unigram)) {
    UnigramEncoder encoder(blob);
    return steps.cut(
        text, [&](std::string_view piece) { encoder.encode(piece, ids); });
  }
  BytePairEncoder encoder(blob);
  auto take = [&](std::string_view piece) { encoder.encode(piece, ids); };
  if (blob.isKind(TokenizerKind::CharacterBPE))
    steps.cut(text, take);
  else
    splitter.split(text, take);
}

void Tokenizer::Impl::encodeRaw(std::string_view text, bool isStart,
                                bool allowControl,
                                std::vector<int32_t> &ids) const {
  std::string changed;
  if (steps.has(TextPhase::Normalize)) {
    changed = steps.run(TextPhase::Normalize, text, isStart);
    text = changed;
  }
  specials.cut(text, SpecialTokens::Pass::Normalized, allowControl,
               [&](TextPart part) {
                 if (part.id != kNoToken)
                   ids.push_back(static_cast<int32_t>(part.id));
                 else
                   encodeText(part.text,
                              isStart && part.text.data() == text.data(), ids);
               });
}

void Tokenizer::Impl::encodeMixed(std::string_view text, bool isStart,
                                  bool allowControl,
                                  std::vector<int32_t> &ids) const {
  if (!text.empty())
    requireTextLibraries();
  std::string valid;
  bool needsUtf8 =
      !isSentencePiece() && (!blob.isKind(TokenizerKind::ByteLevelBPE) ||
                             steps.has(TextPhase::Normalize));
  if (needsUtf8 && getValidPrefix(text) != text.size()) {
    valid = replaceInvalid(text);
    text = valid;
  }
  specials.cut(
      text, SpecialTokens::Pass::Raw, allowControl, [&](TextPart part) {
        if (part.id != kNoToken)
          ids.push_back(static_cast<int32_t>(part.id));
        else
          encodeRaw(part.text, isStart && part.text.data() == text.data(),
                    allowControl, ids);
      });
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
  impl->encodeMixed(text, /*isStart=*/true, options.allowSpecial, ids);
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
    impl->encodeMixed(text, ids.empty(), /*allowControl=*/false, ids);
    text.clear();
    ids.push_back(static_cast<int32_t>(id));
  }
  impl->encodeMixed(text, ids.empty(), /*allowControl=*/false, ids);
  return ids;
}

std::optional<Tokenizer::SpecialPlace>
Tokenizer::findSpecial(std::string_view text, size_t from) const {
  std::string_view match = impl->specials.find(text.substr(from));
  if (match.empty())
    return std::nullopt;
  return SpecialPlace{static_cast<size_t>(match.data() - text.data()),
                      match.size()};
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
