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
#include "weights/Tokenizers/ByteLevel.h"
#include "weights/Tokenizers/JsonBpe.h"
#include "weights/Tokenizers/JsonSteps.h"
#include "weights/Tokenizers/PieceVocabulary.h"

#include "llvm/ADT/StringExtras.h"

#include <array>

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

constexpr StringLiteral kLlama3Pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

//===----------------------------------------------------------------------===//
// Byte-level
//===----------------------------------------------------------------------===//

bool isByteLevel(const json &step, bool useRegex) {
  return getType(step) == "ByteLevel" &&
         getBool(step, "use_regex", true) == useRegex;
}

bool isPlainByteLevel(const json &step, bool useRegex) {
  return isByteLevel(step, useRegex) &&
         !getBool(step, "add_prefix_space", true);
}

bool isLlama3Split(const json &step) {
  return getType(step) == "Split" &&
         getString(getMember(step, "pattern"), "Regex") == kLlama3Pattern &&
         getString(step, "behavior") == "Isolated" &&
         !getBool(step, "invert", false);
}

std::optional<PreTokenizer> recognizePreTokenizer(ArrayRef<json> steps) {
  if (steps.size() == 1 && isByteLevel(steps[0], true))
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
  JsonSteps text;
  if (Error error = readNormalizer(reader, text))
    return std::move(error);
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
  vocabulary.steps = std::move(text.steps);
  vocabulary.specialRules = std::move(reader.bpe.rules);
  if (steps.size() == 1 && getBool(steps[0], "add_prefix_space", true))
    vocabulary.steps.push_back({llamaabi::TextStepKind::PrefixAlways,
                                llamaabi::TextPhase::PreTokenize, "", " "});
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
  Expected<Vocabulary> vocabulary = isPieceTokenizer(reader)
                                        ? readPieceVocabulary(reader)
                                        : readByteLevel(reader);
  if (!vocabulary)
    return vocabulary.takeError();
  if (Error error = readPostProcessor(reader, *vocabulary))
    return std::move(error);
  return vocabulary;
}

} // namespace llamaweights
