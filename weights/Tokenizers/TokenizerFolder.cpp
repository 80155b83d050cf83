//===- TokenizerFolder.cpp - The tokenizer of a checkpoint folder ---------===//
//
// tokenizer.json is preferred to a tokenizer.model next to it, as by everybody
// who reads both: it names the special tokens. Where it is of a kind that is not
// supported, the sentencepiece model that it was made of takes its place.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/TokenizerFolder.h"

#include "weights/Containers/JsonObject.h"
#include "weights/FolderFiles.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"
#include "weights/Tokenizers/AddedTokens.h"
#include "weights/Tokenizers/SentencePieceModel.h"
#include "weights/Tokenizers/SpacePrefix.h"
#include "weights/Tokenizers/Tiktoken.h"
#include "weights/Tokenizers/TokenizerJson.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

//===----------------------------------------------------------------------===//
// Tokens known by their names
//===----------------------------------------------------------------------===//

/// Control tokens that end a reply wherever they exist.
constexpr StringLiteral kTurnEnds[] = {"<|end_of_text|>", "<|eom_id|>",
                                       "<|eot_id|>", "<|im_end|>"};

std::optional<int64_t> findControl(StringRef text,
                                   const Vocabulary &vocabulary) {
  for (const auto &[id, token] : enumerate(vocabulary.tokens))
    if (vocabulary.types[id] == TokenType::Control && token == text)
      return id;
  return std::nullopt;
}

void addEos(int64_t id, Vocabulary &vocabulary) {
  if (!is_contained(vocabulary.eosTokens, id))
    vocabulary.eosTokens.push_back(id);
}

void addTurnEnds(Vocabulary &vocabulary) {
  for (StringRef name : kTurnEnds)
    if (std::optional<int64_t> id = findControl(name, vocabulary))
      addEos(*id, vocabulary);
}

/// A tokenizer.json of Llama 3 may leave it to the files next to it to say what
/// every prompt begins with.
void addLlama3Bos(Vocabulary &vocabulary) {
  if (vocabulary.bosToken || vocabulary.kind != VocabularyKind::ByteLevelBPE ||
      vocabulary.preTokenizer != PreTokenizer::Llama3)
    return;
  vocabulary.bosToken = findControl("<|begin_of_text|>", vocabulary);
  vocabulary.addBos = vocabulary.bosToken.has_value();
}

Expected<Vocabulary> readBytes(StringRef bytes, StringRef path) {
  if (isTiktoken(bytes))
    return readTiktoken(bytes, path);
  if (isSentencePieceModel(bytes))
    return readSentencePieceModel(bytes, path);
  if (bytes.ltrim().starts_with("{"))
    return readTokenizerJson(bytes, path);
  return makeInputError(path, "is neither a tokenizer.json nor a sentencepiece "
                              "model nor a tiktoken text");
}

//===----------------------------------------------------------------------===//
// Files next to the tokenizer
//===----------------------------------------------------------------------===//

/// Looks values up in files in order of precedence and puts them into a
/// vocabulary.
class FolderReader {
public:
  FolderReader(StringRef folder, Vocabulary &vocabulary)
      : folder(folder), vocabulary(vocabulary) {}

  Error read() {
    for (auto [name, value] :
         {std::pair(StringLiteral("tokenizer_config.json"), &config),
          std::pair(StringLiteral("special_tokens_map.json"), &map),
          std::pair(StringLiteral("generation_config.json"), &generation)}) {
      Expected<json> read = readJsonIfThere(getPathIn(folder, name));
      if (!read)
        return read.takeError();
      *value = std::move(*read);
    }
    if (Error error = readBosEos())
      return error;
    readSpecialTokens();
    if (Error error = readOtherTemplates())
      return error;
    return readChatTemplate();
  }

private:
  Error fail(StringRef file, StringRef key, const Twine &message) {
    return makeInputError(getPathIn(folder, file),
                          "key " + quote(key) + ": " + message);
  }

  /// "<s>" or {"content": "<s>"}; none if absent or null.
  static std::optional<std::string> getText(const json &file, const char *key) {
    auto value = file.find(key);
    if (value == file.end())
      return std::nullopt;
    const json &text =
        value->is_object() ? value->value("content", json()) : *value;
    if (!text.is_string())
      return std::nullopt;
    return text.get<std::string>();
  }

  /// The id of the token that tokenizer_config or special_tokens_map names.
  Expected<std::optional<int64_t>> findNamed(const char *key) {
    for (auto [file, name] :
         {std::pair(&config, StringLiteral("tokenizer_config.json")),
          std::pair(&map, StringLiteral("special_tokens_map.json"))}) {
      std::optional<std::string> text = getText(*file, key);
      if (!text || text->empty())
        continue;
      std::optional<int64_t> id = findToken(*text, vocabulary);
      if (!id)
        return fail(name, key, "there is no token " + quote(*text));
      return id;
    }
    return std::nullopt;
  }

  Error readBosEos() {
    auto bos = findNamed("bos_token");
    if (!bos)
      return bos.takeError();
    if (bos->has_value()) {
      vocabulary.bosToken = *bos;
      // Early uploads of Llama 3 have no post-processor that adds it.
      if (vocabulary.kind == VocabularyKind::ByteLevelBPE &&
          vocabulary.preTokenizer == PreTokenizer::Llama3)
        vocabulary.addBos = true;
    }
    auto eos = findNamed("eos_token");
    if (!eos)
      return eos.takeError();
    if (std::optional<int64_t> id = *eos)
      vocabulary.eosTokens = {*id};
    if (Error error = readFlag("add_bos_token", vocabulary.addBos))
      return error;
    if (vocabulary.addBos && !vocabulary.bosToken)
      return fail("tokenizer_config.json", "add_bos_token",
                  "is true, but there is no bos token");
    if (Error error = readFlag("add_eos_token", vocabulary.addEos))
      return error;
    if (Error error = readGenerationEos())
      return error;
    addTurnEnds(vocabulary);
    return Error::success();
  }

  Error readFlag(const char *key, bool &out) {
    auto value = config.find(key);
    if (value == config.end() || value->is_null())
      return Error::success();
    if (!value->is_boolean())
      return fail("tokenizer_config.json", key, "expected true or false");
    out = value->get<bool>();
    return Error::success();
  }

  Error readGenerationEos() {
    auto value = generation.find("eos_token_id");
    if (value == generation.end() || value->is_null())
      return Error::success();
    json ids = value->is_array() ? *value : json::array({*value});
    for (const json &id : ids) {
      if (!id.is_number_unsigned() ||
          id.get<uint64_t>() >= vocabulary.tokens.size())
        return fail("generation_config.json", "eos_token_id",
                    "expected a token id below " +
                        Twine(vocabulary.tokens.size()) + ", found " +
                        quote(id.dump()));
      addEos(id.get<int64_t>(), vocabulary);
    }
    return Error::success();
  }

  /// What transformers shows templates: every ..._token of the files.
  void readSpecialTokens() {
    for (const json *file : {&config, &map})
      for (const auto &[key, value] : file->items()) {
        std::optional<std::string> text = getText(*file, key.c_str());
        bool isKnown = is_contained(make_first_range(vocabulary.specialTokens),
                                    StringRef(key));
        if (text && StringRef(key).ends_with("_token") && !isKnown)
          vocabulary.specialTokens.emplace_back(key, *text);
      }
  }

  /// additional_chat_templates/NAME.jinja
  Error readOtherTemplates() {
    std::error_code code;
    std::vector<std::string> paths;
    for (sys::fs::directory_iterator
             it(getPathIn(folder, "additional_chat_templates"), code),
         end;
         !code && it != end; it.increment(code))
      if (sys::path::extension(it->path()) == ".jinja")
        paths.push_back(it->path());
    sort(paths);
    for (const std::string &path : paths) {
      Expected<std::string> text = readTextFile(path);
      if (!text)
        return text.takeError();
      vocabulary.chatTemplates.emplace_back(sys::path::stem(path).str(),
                                            std::move(*text));
    }
    return Error::success();
  }

  Error readChatTemplate() {
    std::string path = getPathIn(folder, "chat_template.jinja");
    if (sys::fs::exists(path)) {
      Expected<std::string> text = readTextFile(path);
      if (!text)
        return text.takeError();
      vocabulary.chatTemplate = std::move(*text);
      return Error::success();
    }
    auto value = config.find("chat_template");
    if (value == config.end() || value->is_null())
      return Error::success();
    if (value->is_string()) {
      vocabulary.chatTemplate = value->get<std::string>();
      return Error::success();
    }
    if (!value->is_array()) // [{"name": "default", "template": ...}, ...]
      return fail("tokenizer_config.json", "chat_template",
                  "expected a string or an array of named templates");
    for (const json &named : *value) {
      std::optional<std::string> name, text;
      if (named.is_object()) {
        name = getText(named, "name");
        text = getText(named, "template");
      }
      if (!name || !text)
        return fail("tokenizer_config.json", "chat_template",
                    "expected templates with a name and a template, found " +
                        describe(named));
      if (*name == "default")
        vocabulary.chatTemplate = *text;
      else
        vocabulary.chatTemplates.emplace_back(*name, *text);
    }
    return Error::success();
  }

  StringRef folder;
  Vocabulary &vocabulary;
  json config = json::object(), map = json::object(),
       generation = json::object();
};

Expected<Vocabulary> readTokenizer(StringRef folder, bool hasJson,
                                   bool hasModel) {
  std::string jsonPath = getPathIn(folder, "tokenizer.json");
  std::string modelPath = getPathIn(folder, "tokenizer.model");
  if (!hasModel)
    return readTokenizerFile(jsonPath);
  Expected<std::string> bytes = readTextFile(modelPath);
  if (!bytes)
    return bytes.takeError();
  if (!isSentencePieceModel(*bytes))
    return hasJson ? readTokenizerFile(jsonPath) : readBytes(*bytes, modelPath);
  if (hasJson) {
    Expected<Vocabulary> vocabulary = readTokenizerFile(jsonPath);
    if (vocabulary)
      return vocabulary;
    consumeError(vocabulary.takeError());
  }
  Expected<Vocabulary> vocabulary = readBytes(*bytes, modelPath);
  if (!vocabulary)
    return vocabulary;
  if (Error error = readAddedTokens(folder, *vocabulary))
    return std::move(error);
  if (Error error = applySpacePrefix(folder, *vocabulary))
    return std::move(error);
  return vocabulary;
}

} // namespace

std::optional<int64_t> findToken(StringRef text, const Vocabulary &vocabulary) {
  if (std::optional<int64_t> id = findControl(text, vocabulary))
    return id;
  auto found = find(vocabulary.tokens, text);
  if (found == vocabulary.tokens.end())
    return std::nullopt;
  return found - vocabulary.tokens.begin();
}

Expected<Vocabulary> readTokenizerFile(StringRef path) {
  Expected<std::string> bytes = readTextFile(path);
  if (!bytes)
    return bytes.takeError();
  Expected<Vocabulary> vocabulary = readBytes(*bytes, path);
  if (vocabulary) {
    addLlama3Bos(*vocabulary);
    addTurnEnds(*vocabulary);
  }
  return vocabulary;
}

Expected<std::optional<Vocabulary>> readTokenizerFolder(StringRef folder) {
  bool hasJson = sys::fs::exists(getPathIn(folder, "tokenizer.json"));
  bool hasModel = sys::fs::exists(getPathIn(folder, "tokenizer.model"));
  if (!hasJson && !hasModel)
    return std::nullopt;
  Expected<Vocabulary> vocabulary = readTokenizer(folder, hasJson, hasModel);
  if (!vocabulary)
    return vocabulary.takeError();
  if (Error error = FolderReader(folder, *vocabulary).read())
    return std::move(error);
  return std::optional(std::move(*vocabulary));
}

} // namespace llamaweights
