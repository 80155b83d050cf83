//===- TokenizerFiles.cpp - The tokenizer next to the tensors -------------===//
//
// tokenizer.json is written for the library that everybody reads it with:
// model, added tokens, how text is cut, what is put in front of it.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/TokenizerFiles.h"

#include "weights/InputError.h"
#include "weights/Tokenizers/ByteLevel.h"
#include "weights/Tokenizers/TokenizerJson.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"

#include <nlohmann/json.hpp>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace llamaweights {
namespace {

constexpr StringLiteral kFiles[] = {
    "tokenizer.json",         "tokenizer.model",
    "tokenizer_config.json",  "special_tokens_map.json",
    "generation_config.json", "chat_template.jinja",
    "added_tokens.json",
};

std::string dump(const Json &json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json makeByteLevelStep(bool useRegex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", useRegex}};
}

Json makePreTokenizer(PreTokenizer preTokenizer) {
  if (preTokenizer == PreTokenizer::GPT2)
    return makeByteLevelStep(true);
  Json first = {{"type", "Digits"}, {"individual_digits", true}};
  if (preTokenizer == PreTokenizer::Llama3)
    first = {{"type", "Split"},
             {"pattern", {{"Regex", getLlama3Pattern().str()}}},
             {"behavior", "Isolated"},
             {"invert", false}};
  bool useRegex = preTokenizer != PreTokenizer::Llama3;
  Json steps = Json::array();
  steps.push_back(std::move(first));
  steps.push_back(makeByteLevelStep(useRegex));
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

Json makePostProcessor(const Vocabulary &vocabulary) {
  if (!vocabulary.addBos || !vocabulary.bosToken)
    return {{"type", "ByteLevel"},
            {"add_prefix_space", true},
            {"trim_offsets", false},
            {"use_regex", true}};
  std::string bos = vocabulary.tokens[size_t(*vocabulary.bosToken)];
  Json item = {{"SpecialToken", {{"id", bos}, {"type_id", 0}}}};
  Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  Json second = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  Json token = {{"id", bos},
                {"ids", Json::array({*vocabulary.bosToken})},
                {"tokens", Json::array({bos})}};
  return {{"type", "TemplateProcessing"},
          {"single", Json::array({item, text})},
          {"pair", Json::array({item, text, second})},
          {"special_tokens", {{bos, token}}}};
}

/// tokenizer_config.json: what tokenizer.json has no place for.
std::string printConfig(const Vocabulary &vocabulary) {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"clean_up_tokenization_spaces", false}};
  if (vocabulary.kind == VocabularyKind::SentencePiece)
    config["tokenizer_class"] = "LlamaTokenizer";
  config["add_bos_token"] = vocabulary.addBos;
  config["add_eos_token"] = vocabulary.addEos;
  if (vocabulary.bosToken)
    config["bos_token"] = vocabulary.tokens[size_t(*vocabulary.bosToken)];
  if (!vocabulary.eosTokens.empty())
    config["eos_token"] = vocabulary.tokens[size_t(vocabulary.eosTokens[0])];
  for (const auto &[name, text] : vocabulary.specialTokens)
    config.emplace(name, text); // bos and eos stay as they are
  Json named = Json::array();
  if (!vocabulary.chatTemplate.empty())
    named.push_back(
        {{"name", "default"}, {"template", vocabulary.chatTemplate}});
  for (const auto &[name, text] : vocabulary.chatTemplates)
    named.push_back({{"name", name}, {"template", text}});
  if (!vocabulary.chatTemplates.empty())
    config["chat_template"] = std::move(named);
  else if (!vocabulary.chatTemplate.empty())
    config["chat_template"] = vocabulary.chatTemplate;
  return dump(config);
}

Json makeAddedToken(const Vocabulary &vocabulary, size_t id) {
  SpecialRule rule;
  for (const SpecialRule &candidate : vocabulary.specialRules)
    if (candidate.id == id)
      rule = candidate;
  return {{"id", id},
          {"content", vocabulary.tokens[id]},
          {"single_word", rule.singleWord},
          {"lstrip", rule.stripLeft},
          {"rstrip", rule.stripRight},
          {"normalized", rule.normalized},
          {"special", vocabulary.types[id] != TokenType::UserDefined}};
}

/// Whether printTokenizerJson, or a sentencepiece model, says all of it.
Error checkExpressible(StringRef path, const Vocabulary &vocabulary) {
  if (vocabulary.kind == VocabularyKind::SentencePiece)
    return Error::success();
  bool isKnown = vocabulary.kind == VocabularyKind::ByteLevelBPE &&
                 vocabulary.steps.empty() &&
                 is_contained({PreTokenizer::Llama3, PreTokenizer::GPT2,
                               PreTokenizer::SmolLM},
                              vocabulary.preTokenizer);
  if (isKnown)
    return Error::success();
  return makeInputError(path, "its tokenizer is neither a sentencepiece model "
                              "nor a byte-level BPE with the pattern of Llama "
                              "3, GPT-2 or SmolLM, and is not written anew; "
                              "put its file next to the weights");
}

} // namespace

std::string printTokenizerJson(const Vocabulary &vocabulary) {
  Json vocab = Json::object(), added = Json::array(), merges = Json::array();
  std::vector<std::string> texts;
  for (auto [id, token] : enumerate(vocabulary.tokens)) {
    TokenType type = vocabulary.types[id];
    bool isNormal = type == TokenType::Normal;
    texts.push_back(isNormal ? encodeByteLevel(token) : token);
    if (isNormal)
      vocab[texts.back()] = id;
    else if (!token.empty())
      added.push_back(makeAddedToken(vocabulary, id));
  }
  for (const Merge &merge : vocabulary.merges)
    merges.push_back(texts[merge.left] + " " + texts[merge.right]);
  Json model = {{"type", "BPE"},
                {"dropout", nullptr},
                {"unk_token", nullptr},
                {"continuing_subword_prefix", nullptr},
                {"end_of_word_suffix", nullptr},
                {"fuse_unk", false},
                {"byte_fallback", false},
                {"ignore_merges", vocabulary.wholePieceFirst},
                {"vocab", std::move(vocab)},
                {"merges", std::move(merges)}};
  Json json = {{"version", "1.0"},
               {"truncation", nullptr},
               {"padding", nullptr},
               {"added_tokens", std::move(added)},
               {"normalizer", nullptr},
               {"pre_tokenizer", makePreTokenizer(vocabulary.preTokenizer)},
               {"post_processor", makePostProcessor(vocabulary)},
               {"decoder", makeByteLevelStep(true)},
               {"model", std::move(model)}};
  return dump(json);
}

Error writeTokenizerFiles(const OpenedModel &model,
                          const OutputFolder &folder) {
  bool isFolder = sys::fs::is_directory(model.weightsPath);
  bool isCopied = false;
  for (StringRef name : kFiles) {
    std::string from = getPathIn(model.weightsPath, name);
    if (!isFolder || !sys::fs::exists(from))
      continue;
    isCopied |= name == "tokenizer.json" || name == "tokenizer.model";
    if (Error error = folder.copyFile(from, name))
      return error;
  }
  if (isCopied || !model.vocabulary)
    return Error::success();
  const Vocabulary &vocabulary = *model.vocabulary;
  if (Error error = checkExpressible(model.path, vocabulary))
    return error;
  bool isPieces = vocabulary.kind == VocabularyKind::SentencePiece;
  if (Error error =
          folder.writeFile(isPieces ? "tokenizer.model" : "tokenizer.json",
                           isPieces ? vocabulary.sentencePieceModel
                                    : printTokenizerJson(vocabulary)))
    return error;
  if (sys::fs::exists(getPathIn(model.weightsPath, "tokenizer_config.json")))
    return Error::success();
  return folder.writeFile("tokenizer_config.json", printConfig(vocabulary));
}

} // namespace llamaweights
