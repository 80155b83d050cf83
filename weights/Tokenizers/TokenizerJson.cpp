//===- TokenizerJson.cpp - tokenizer.json ---------------------------------===//
//
// The file describes a pipeline: added tokens, normalizer, pre-tokenizer,
// model, post-processor, decoder. Those that this project knows are told apart
// here; anything else has its own complaint. JsonBpe reads the rest.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/TokenizerJson.h"

#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"
#include "weights/Tokenizers/ByteFallbackBpe.h"
#include "weights/Tokenizers/ByteLevel.h"
#include "weights/Tokenizers/JsonBpe.h"

#include "llvm/ADT/StringExtras.h"

#include <array>

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

constexpr StringLiteral kLlama3Pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
constexpr StringLiteral kSpaceSymbol = "\xE2\x96\x81"; // U+2581

//===----------------------------------------------------------------------===//
// Byte-level
//===----------------------------------------------------------------------===//

bool isPlainByteLevel(const json &step, bool useRegex) {
  return getType(step) == "ByteLevel" &&
         !getBool(step, "add_prefix_space", true) &&
         getBool(step, "use_regex", true) == useRegex;
}

bool isLlama3Split(const json &step) {
  return getType(step) == "Split" &&
         getString(getMember(step, "pattern"), "Regex") == kLlama3Pattern &&
         getString(step, "behavior") == "Isolated" &&
         !getBool(step, "invert", false);
}

std::optional<PreTokenizer> recognizePreTokenizer(ArrayRef<json> steps) {
  if (steps.size() == 1 && isPlainByteLevel(steps[0], true))
    return PreTokenizer::GPT2;
  if (steps.size() != 2)
    return std::nullopt;
  if (isLlama3Split(steps[0]) && isPlainByteLevel(steps[1], false))
    return PreTokenizer::Llama3;
  if (getType(steps[0]) == "Digits" &&
      getBool(steps[0], "individual_digits", false) &&
      isPlainByteLevel(steps[1], true))
    return PreTokenizer::SmolLM;
  return std::nullopt;
}

Expected<Vocabulary> readByteLevel(BpeReader &reader) {
  auto normalizers =
      getSteps(getMember(reader.root, "normalizer"), "normalizers");
  if (!normalizers.empty())
    return reader.fail("normalizer",
                       "expected null, found " + describeSteps(normalizers));
  auto steps =
      getSteps(getMember(reader.root, "pre_tokenizer"), "pretokenizers");
  auto preTokenizer = recognizePreTokenizer(steps);
  if (!preTokenizer)
    return reader.fail("pre_tokenizer",
                       "is not that of Llama 3, GPT-2 or SmolLM: " +
                           describeSteps(steps));
  const json &decoder = getMember(reader.root, "decoder");
  if (!decoder.is_null() && getType(decoder) != "ByteLevel")
    return reader.fail("decoder", "expected 'ByteLevel', found " +
                                      quote(getType(decoder)));

  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::ByteLevelBPE;
  vocabulary.preTokenizer = *preTokenizer;
  vocabulary.wholePieceFirst = getBool(reader.model, "ignore_merges", false);
  vocabulary.types = reader.bpe.types;
  vocabulary.merges = std::move(reader.bpe.merges);
  std::array<bool, 256> hasToken = {};
  for (const auto &[id, text] : enumerate(reader.bpe.tokens)) {
    if (vocabulary.types[id] != TokenType::Normal) {
      vocabulary.tokens.push_back(text);
      continue;
    }
    std::optional<std::string> bytes = decodeByteLevel(text);
    if (!bytes)
      return reader.fail("model.vocab",
                         "token " + quote(text) + " is not in byte-level form");
    if (bytes->size() == 1)
      hasToken[uint8_t((*bytes)[0])] = true;
    vocabulary.tokens.push_back(std::move(*bytes));
  }
  if (!getString(reader.model, "unk_token").empty() &&
      !all_of(hasToken, [](bool has) { return has; }))
    return reader.fail("model.unk_token",
                       "is not supported where bytes have no token");
  return vocabulary;
}

//===----------------------------------------------------------------------===//
// Llama 2
//===----------------------------------------------------------------------===//

/// Whether a space is put in front of a text; none if spaces are not treated as
/// sentencepiece does.
std::optional<bool> recognizeSpaces(ArrayRef<json> normalizers,
                                    ArrayRef<json> preTokenizers) {
  auto isReplace = [](const json &step) {
    return getType(step) == "Replace" &&
           getString(getMember(step, "pattern"), "String") == " " &&
           getString(step, "content") == kSpaceSymbol;
  };
  if (preTokenizers.empty()) {
    if (normalizers.size() == 1 && isReplace(normalizers[0]))
      return false;
    if (normalizers.size() == 2 && getType(normalizers[0]) == "Prepend" &&
        getString(normalizers[0], "prepend") == kSpaceSymbol &&
        isReplace(normalizers[1]))
      return true;
    return std::nullopt;
  }
  const json &step = preTokenizers[0];
  if (!normalizers.empty() || preTokenizers.size() != 1 ||
      getType(step) != "Metaspace" || getBool(step, "split", true) ||
      getString(step, "replacement") != kSpaceSymbol)
    return std::nullopt;
  StringRef scheme = getString(step, "prepend_scheme");
  if (scheme == "always")
    return true;
  if (scheme == "never")
    return false;
  return std::nullopt; // "first": sentencepiece has no such mode
}

Expected<Vocabulary> readByteFallback(BpeReader &reader) {
  auto normalizers =
      getSteps(getMember(reader.root, "normalizer"), "normalizers");
  auto steps =
      getSteps(getMember(reader.root, "pre_tokenizer"), "pretokenizers");
  std::optional<bool> addSpacePrefix = recognizeSpaces(normalizers, steps);
  if (!addSpacePrefix)
    return reader.fail("normalizer",
                       "spaces are not treated as in Llama 2 (normalizer: " +
                           describeSteps(normalizers) +
                           "; pre_tokenizer: " + describeSteps(steps) +
                           "); a tokenizer.model next to it would be read");
  JsonBpe &bpe = reader.bpe;
  StringRef unknown = getString(reader.model, "unk_token");
  for (size_t id = 0; id < bpe.tokens.size(); ++id) {
    StringRef text = bpe.tokens[id];
    if (bpe.types[id] == TokenType::UserDefined)
      return reader.fail("added_tokens", "token " + quote(text) +
                                             " is not special, which is not "
                                             "supported with byte_fallback");
    if (!unknown.empty() && text == unknown)
      bpe.types[id] = TokenType::Unknown;
    else if (bpe.types[id] == TokenType::Normal && text.size() == 6 &&
             text.starts_with("<0x") && text.ends_with(">"))
      bpe.types[id] = TokenType::Byte;
  }
  return convertByteFallbackBpe(bpe, *addSpacePrefix, reader.where);
}

//===----------------------------------------------------------------------===//
// Post-processor
//===----------------------------------------------------------------------===//

/// The one id that a template names, none if it is not one.
std::optional<int64_t> getTemplateId(const json &processor, const json &item) {
  std::string name = getString(getMember(item, "SpecialToken"), "id").str();
  const json &idList = getMember(
      getMember(getMember(processor, "special_tokens"), name.c_str()), "ids");
  if (!idList.is_array() || idList.size() != 1 ||
      !idList[0].is_number_unsigned())
    return std::nullopt;
  return idList[0].get<int64_t>();
}

/// TemplateProcessing: [bos] text [eos].
Error readTemplate(const BpeReader &reader, const json &processor,
                   Vocabulary &vocabulary) {
  const json &items = getMember(processor, "single");
  if (!items.is_array() || items.empty() || items.size() > 3)
    return reader.fail("post_processor.single", "expected up to three items");
  bool seenText = false;
  for (const json &item : items) {
    if (item.contains("Sequence")) {
      seenText = true;
      continue;
    }
    std::optional<int64_t> id = getTemplateId(processor, item);
    if (!id || *id >= int64_t(vocabulary.tokens.size()))
      return reader.fail("post_processor.single",
                         "names a token that is not one of the vocabulary");
    bool &adds = seenText ? vocabulary.addEos : vocabulary.addBos;
    if (adds)
      return reader.fail("post_processor.single",
                         "puts two tokens at one end of a text");
    adds = true;
    if (seenText)
      vocabulary.eosTokens = {*id};
    else
      vocabulary.bosToken = id;
  }
  return Error::success();
}

Error readPostProcessor(const BpeReader &reader, Vocabulary &vocabulary) {
  auto steps = getSteps(getMember(reader.root, "post_processor"), "processors");
  for (const json &step : steps) {
    if (getType(step) == "ByteLevel") // moves offsets only
      continue;
    if (getType(step) != "TemplateProcessing")
      return reader.fail("post_processor",
                         quote(getType(step)) + " is not supported");
    if (Error error = readTemplate(reader, step, vocabulary))
      return error;
  }
  return Error::success();
}

} // namespace

StringRef getLlama3Pattern() { return kLlama3Pattern; }

Expected<Vocabulary> readTokenizerJson(StringRef text, StringRef where) {
  Expected<json> root = parseJson(text, where);
  if (!root)
    return root.takeError();
  BpeReader reader(*root, where);
  if (Error error = reader.read())
    return std::move(error);
  Expected<Vocabulary> vocabulary =
      getBool(reader.model, "byte_fallback", false) ? readByteFallback(reader)
                                                    : readByteLevel(reader);
  if (!vocabulary)
    return vocabulary.takeError();
  if (Error error = readPostProcessor(reader, *vocabulary))
    return std::move(error);
  return vocabulary;
}

} // namespace llamaweights
