//===- TokenizerJson.cpp - tokenizer.json ---------------------------------===//
//
// The file describes a pipeline: added tokens, normalizer, pre-tokenizer,
// model, post-processor, decoder. Those that this project knows are told apart
// here; anything else has its own complaint.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/TokenizerJson.h"

#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"
#include "weights/Tokenizers/ByteFallbackBpe.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/ConvertUTF.h"

#include <array>

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

constexpr StringLiteral kLlama3Pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
constexpr StringLiteral kSpaceSymbol = "\xE2\x96\x81"; // U+2581
constexpr size_t kLongestToken = 1024;

//===----------------------------------------------------------------------===//
// Reading values that may be absent or of another type
//===----------------------------------------------------------------------===//

const json &get(const json &object, const char *key) {
  static const json null;
  if (!object.is_object())
    return null;
  auto found = object.find(key);
  return found == object.end() ? null : *found;
}

StringRef getString(const json &object, const char *key) {
  const json &value = get(object, key);
  return value.is_string() ? StringRef(value.get_ref<const std::string &>())
                           : StringRef();
}

bool getBool(const json &object, const char *key, bool otherwise) {
  const json &value = get(object, key);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

StringRef getType(const json &object) { return getString(object, "type"); }

/// The steps of a Sequence, or the one step that stands for itself, or none.
std::vector<json> getSteps(const json &step, const char *listKey) {
  if (step.is_null())
    return {};
  if (getType(step) != "Sequence")
    return {step};
  const json &list = get(step, listKey);
  return list.is_array() ? std::vector<json>(list.begin(), list.end())
                         : std::vector<json>{step};
}

/// "Sequence of Digits, ByteLevel", for messages.
std::string describeSteps(ArrayRef<json> steps) {
  if (steps.empty())
    return "nothing";
  std::string text;
  for (const json &step : steps)
    text += (text.empty() ? "" : ", ") + quote(getType(step));
  return text;
}

//===----------------------------------------------------------------------===//
// Vocabulary, merges, added tokens
//===----------------------------------------------------------------------===//

/// tokenizer.json as far as its kind does not matter.
class BpeReader {
public:
  BpeReader(const json &root, StringRef where)
      : root(root), model(get(root, "model")), where(where) {}

  Error read() {
    if (!root.is_object() || !model.is_object())
      return fail("model", "expected an object");
    StringRef type = getType(model);
    if (!type.empty() && type != "BPE")
      return fail("model.type", "expected 'BPE', found " + quote(type));
    if (!get(model, "dropout").is_null() && get(model, "dropout") != 0)
      return fail("model.dropout", "must be null");
    for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (!getString(model, key).empty())
        return fail(Twine("model.") + key, "is not supported");
    if (Error error = readVocab())
      return error;
    if (Error error = readAddedTokens())
      return error;
    return readMerges();
  }

  Error fail(const Twine &key, const Twine &message) const {
    return makeInputError(where, "key '" + key + "': " + message);
  }

  const json &root;
  const json &model;
  std::string where;
  JsonBpe bpe;
  StringMap<uint32_t> ids; ///< of the model's own tokens

private:
  Error addToken(StringRef text, const json &id, const Twine &key,
                 TokenType type) {
    uint64_t most = get(model, "vocab").size() +
                    get(root, "added_tokens").size() + (1 << 16);
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= most)
      return fail(key, "expected an id below " + Twine(most) + ", found " +
                           quote(id.dump()));
    if (text.empty() || text.size() > kLongestToken)
      return fail(key, "token has " + Twine(text.size()) +
                           " bytes, expected 1 to " + Twine(kLongestToken));
    size_t place = id.get<uint64_t>();
    if (place >= bpe.tokens.size()) {
      bpe.tokens.resize(place + 1);
      bpe.types.resize(place + 1, TokenType::Unused);
    }
    if (!bpe.tokens[place].empty() && bpe.tokens[place] != text)
      return fail(key, "id " + Twine(place) + " is " +
                           quote(bpe.tokens[place]) + " and " + quote(text));
    bpe.tokens[place] = text.str();
    bpe.types[place] = type;
    return Error::success();
  }

  Error readVocab() {
    const json &vocab = get(model, "vocab");
    if (!vocab.is_object())
      return fail("model.vocab", "expected an object of ids");
    for (const auto &[text, id] : vocab.items()) {
      if (Error error = addToken(text, id, "model.vocab", TokenType::Normal))
        return error;
      ids[text] = id.get<uint32_t>();
    }
    return Error::success();
  }

  Error readAddedTokens() {
    const json &added = get(root, "added_tokens");
    if (!added.is_null() && !added.is_array())
      return fail("added_tokens", "expected an array");
    for (const json &token : added) {
      StringRef content = getString(token, "content");
      for (const char *key : {"single_word", "lstrip", "rstrip"})
        if (getBool(token, key, false))
          return fail("added_tokens", "token " + quote(content) + ": " + key +
                                          " is not supported");
      TokenType type = getBool(token, "special", false)
                           ? TokenType::Control
                           : TokenType::UserDefined;
      if (Error error =
              addToken(content, get(token, "id"), "added_tokens", type))
        return error;
    }
    return Error::success();
  }

  /// "a b" or ["a", "b"].
  static std::optional<std::pair<StringRef, StringRef>>
  splitMerge(const json &merge) {
    if (merge.is_string()) {
      StringRef text = merge.get_ref<const std::string &>();
      if (text.count(' ') != 1)
        return std::nullopt;
      return text.split(' ');
    }
    if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() ||
        !merge[1].is_string())
      return std::nullopt;
    return std::pair<StringRef, StringRef>(
        merge[0].get_ref<const std::string &>(),
        merge[1].get_ref<const std::string &>());
  }

  Error readMerges() {
    const json &merges = get(model, "merges");
    if (!merges.is_array())
      return fail("model.merges", "expected an array");
    for (const json &merge : merges) {
      std::string key = "model.merges[" + utostr(bpe.merges.size()) + "]";
      auto halves = splitMerge(merge);
      if (!halves)
        return fail(key, "expected two tokens, found " + quote(merge.dump()));
      auto [left, right] = *halves;
      std::array<std::string, 3> texts = {left.str(), right.str(),
                                          (left + right).str()};
      std::array<uint32_t, 3> found;
      for (size_t i = 0; i < texts.size(); ++i) {
        auto place = ids.find(texts[i]);
        if (place == ids.end())
          return fail(key, "there is no token " + quote(texts[i]));
        found[i] = place->second;
      }
      bpe.merges.push_back({found[0], found[1], found[2]});
    }
    return Error::success();
  }
};

//===----------------------------------------------------------------------===//
// Byte-level
//===----------------------------------------------------------------------===//

/// The byte for each of the 256 characters of byte-level tokens: a printable
/// Latin-1 character is itself, the others follow from U+0100 on in order.
std::array<int, 512> makeByteOfCharacter() {
  std::array<int, 512> bytes;
  bytes.fill(-1);
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= '!' && byte <= '~') ||
                     (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    bytes[printable ? byte : next++] = byte;
  }
  return bytes;
}

bool isPlainByteLevel(const json &step, bool useRegex) {
  return getType(step) == "ByteLevel" &&
         !getBool(step, "add_prefix_space", true) &&
         getBool(step, "use_regex", true) == useRegex;
}

bool isLlama3Split(const json &step) {
  return getType(step) == "Split" &&
         getString(get(step, "pattern"), "Regex") == kLlama3Pattern &&
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
  auto normalizers = getSteps(get(reader.root, "normalizer"), "normalizers");
  if (!normalizers.empty())
    return reader.fail("normalizer",
                       "expected null, found " + describeSteps(normalizers));
  auto steps = getSteps(get(reader.root, "pre_tokenizer"), "pretokenizers");
  auto preTokenizer = recognizePreTokenizer(steps);
  if (!preTokenizer)
    return reader.fail("pre_tokenizer",
                       "is not that of Llama 3, GPT-2 or SmolLM: " +
                           describeSteps(steps));
  const json &decoder = get(reader.root, "decoder");
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
           getString(get(step, "pattern"), "String") == " " &&
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
  auto normalizers = getSteps(get(reader.root, "normalizer"), "normalizers");
  auto steps = getSteps(get(reader.root, "pre_tokenizer"), "pretokenizers");
  std::optional<bool> addSpacePrefix = recognizeSpaces(normalizers, steps);
  if (!addSpacePrefix)
    return reader.fail("normalizer",
                       "spaces are not treated as in Llama 2 (normalizer: " +
                           describeSteps(normalizers) +
                           "; pre_tokenizer: " + describeSteps(steps) +
                           "); tokenizer.model beside it would be read");
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
  std::string name = getString(get(item, "SpecialToken"), "id").str();
  const json &idList =
      get(get(get(processor, "special_tokens"), name.c_str()), "ids");
  if (!idList.is_array() || idList.size() != 1 ||
      !idList[0].is_number_unsigned())
    return std::nullopt;
  return idList[0].get<int64_t>();
}

/// TemplateProcessing: [bos] text [eos].
Error readTemplate(const BpeReader &reader, const json &processor,
                   Vocabulary &vocabulary) {
  const json &items = get(processor, "single");
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
  auto steps = getSteps(get(reader.root, "post_processor"), "processors");
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

std::optional<std::string> decodeByteLevel(StringRef token) {
  static const std::array<int, 512> byteOfCharacter = makeByteOfCharacter();
  std::string bytes;
  const auto *at = reinterpret_cast<const UTF8 *>(token.bytes_begin());
  const auto *end = reinterpret_cast<const UTF8 *>(token.bytes_end());
  while (at != end) {
    UTF32 character;
    if (convertUTF8Sequence(&at, end, &character, strictConversion) !=
            conversionOK ||
        character >= byteOfCharacter.size() || byteOfCharacter[character] < 0)
      return std::nullopt;
    bytes += char(byteOfCharacter[character]);
  }
  return bytes;
}

StringRef getLlama3Pattern() { return kLlama3Pattern; }

std::string encodeByteLevel(StringRef bytes) {
  static const auto characterOfByte = [] {
    std::array<int, 512> byteOfCharacter = makeByteOfCharacter();
    std::array<std::string, 256> characters;
    for (auto [character, byte] : enumerate(byteOfCharacter)) {
      char utf8[UNI_MAX_UTF8_BYTES_PER_CODE_POINT];
      char *end = utf8;
      if (byte >= 0 && ConvertCodePointToUTF8(unsigned(character), end))
        characters[size_t(byte)].assign(utf8, end);
    }
    return characters;
  }();
  std::string text;
  for (unsigned char byte : bytes)
    text += characterOfByte[byte];
  return text;
}

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
