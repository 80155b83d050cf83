//===- AddedTokens.cpp - Tokens that files next to tokenizer.model add ----===//
//
// Their rules are as the files have them; SpacePrefix knows which ones count.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/AddedTokens.h"

#include "weights/Containers/JsonObject.h"
#include "weights/FolderFiles.h"
#include "weights/InputError.h"
#include "weights/Tokenizers/JsonBpe.h"
#include "weights/Tokenizers/SentencePieceModel.h"

#include "llvm/ADT/StringSet.h"

#include <map>

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

struct AddedToken {
  std::string text;
  bool isSpecial = false;
  SpecialRule rule;
};
/// By id.
using AddedTokens = std::map<uint64_t, AddedToken>;

class Reader {
public:
  Reader(StringRef folder, Vocabulary &vocabulary)
      : folder(folder), vocabulary(vocabulary) {}

  Error read() {
    for (auto reader : {&Reader::readTokenizerJson, &Reader::readDecoder,
                        &Reader::readAddedTokensJson}) {
      if (Error error = (this->*reader)())
        return error;
      if (!tokens.empty())
        return addTokens();
    }
    return Error::success();
  }

private:
  /// A file of the folder, null if it is not there.
  Expected<json> readFile(StringRef name) {
    path = getPathIn(folder, name);
    return readJsonIfThere(path);
  }

  Error fail(const Twine &key, const Twine &message) {
    return makeInputError(path, "key " + quote(key.str()) + ": " + message);
  }

  /// {"content": "<note>", "special": false, ...}
  Error addToken(const json &id, const json &token, const Twine &key) {
    if (!id.is_number_unsigned() || !getMember(token, "content").is_string())
      return fail(key, "expected id and content");
    AddedToken added;
    added.text = getString(token, "content").str();
    added.isSpecial = getBool(token, "special", false);
    added.rule.normalized = getBool(token, "normalized", !added.isSpecial);
    added.rule.stripLeft = getBool(token, "lstrip", false);
    added.rule.stripRight = getBool(token, "rstrip", false);
    added.rule.singleWord = getBool(token, "single_word", false);
    tokens[id.get<uint64_t>()] = std::move(added);
    return Error::success();
  }

  Error readTokenizerJson() {
    Expected<json> file = readFile("tokenizer.json");
    if (!file)
      return file.takeError();
    const json &added = getMember(*file, "added_tokens");
    if (!added.is_null() && !added.is_array())
      return fail("added_tokens",
                  "expected an array, found " + describe(added));
    for (const json &token : added)
      if (Error error = addToken(getMember(token, "id"), token, "added_tokens"))
        return error;
    return Error::success();
  }

  Error readDecoder() {
    Expected<json> file = readFile("tokenizer_config.json");
    if (!file)
      return file.takeError();
    const json &decoder = getMember(*file, "added_tokens_decoder");
    if (decoder.is_null())
      return Error::success();
    if (!decoder.is_object())
      return fail("added_tokens_decoder",
                  "expected an object, found " + describe(decoder));
    for (const auto &[name, token] : decoder.items()) {
      uint64_t id = 0;
      if (StringRef(name).getAsInteger(10, id))
        return fail("added_tokens_decoder",
                    "expected an id, found " + quote(name));
      if (Error error = addToken(json(id), token, "added_tokens_decoder"))
        return error;
    }
    return Error::success();
  }

  /// Adds the texts that a file calls special.
  Error findSpecialNames(StringRef name, StringSet<> &names) {
    Expected<json> file = readFile(name);
    if (!file)
      return file.takeError();
    auto add = [&](const json &token) {
      const json &text =
          token.is_object() ? getMember(token, "content") : token;
      if (text.is_string())
        names.insert(text.get_ref<const std::string &>());
    };
    for (const char *key : {"bos_token", "eos_token", "unk_token", "pad_token",
                            "sep_token", "cls_token", "mask_token"})
      add(getMember(*file, key));
    for (const char *key :
         {"additional_special_tokens", "extra_special_tokens"})
      for (const json &token : getMember(*file, key))
        add(token);
    return Error::success();
  }

  /// {"<note>": 32000, ...}
  Error readAddedTokensJson() {
    StringSet<> special;
    for (StringRef name : {"special_tokens_map.json", "tokenizer_config.json"})
      if (Error error = findSpecialNames(name, special))
        return error;
    Expected<json> file = readFile("added_tokens.json");
    if (!file)
      return file.takeError();
    if (file->is_null())
      return Error::success();
    for (const auto &[text, id] : file->items())
      if (Error error = addToken(
              id, {{"content", text}, {"special", special.contains(text)}},
              text))
        return error;
    return Error::success();
  }

  /// A token that the model has, too: only its type may change.
  Error retype(uint64_t id, const AddedToken &token) {
    TokenType &type = vocabulary.types[id];
    if (is_contained({TokenType::Control, TokenType::Unknown}, type))
      return Error::success();
    if (vocabulary.tokens[id] != token.text)
      return fail(Twine(id), "is " + quote(vocabulary.tokens[id]) + " and " +
                                 quote(token.text));
    type = token.isSpecial ? TokenType::Control : TokenType::UserDefined;
    return Error::success();
  }

  Error addTokens() {
    size_t known = vocabulary.tokens.size();
    std::vector<SentencePiece> pieces;
    for (auto &[id, token] : tokens) {
      token.rule.id = uint32_t(id);
      if (id < known) {
        if (Error error = retype(id, token))
          return error;
      } else if (id != known + pieces.size()) {
        return makeInputError(
            path, "added token " + quote(token.text) + ": expected id " +
                      Twine(known + pieces.size()) + ", found " + Twine(id));
      } else {
        token.rule.isModelToken = false;
        pieces.push_back(
            {token.text, 0.0f,
             token.isSpecial ? TokenType::Control : TokenType::UserDefined});
      }
      vocabulary.specialRules.push_back(token.rule);
    }
    return appendSentencePieces(pieces, path, vocabulary);
  }

  StringRef folder;
  Vocabulary &vocabulary;
  std::string path; ///< of the file that was read last
  AddedTokens tokens;
};

} // namespace

Error readAddedTokens(StringRef folder, Vocabulary &vocabulary) {
  return Reader(folder, vocabulary).read();
}

} // namespace llamaweights
