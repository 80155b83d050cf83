//===- JsonBpe.cpp - What a tokenizer.json holds, whatever its kind -------===//
//
// Ids and texts are compared with each other before anybody uses them.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/JsonBpe.h"

#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"

#include "llvm/ADT/StringExtras.h"

#include <array>
#include <charconv>
#include <cmath>

using namespace llvm;
using nlohmann::json;

namespace llamaweights {

static constexpr size_t kLongestToken = 1024;

const json &getMember(const json &object, const char *key) {
  static const json null;
  if (!object.is_object())
    return null;
  auto found = object.find(key);
  return found == object.end() ? null : *found;
}

StringRef getString(const json &object, const char *key) {
  const json &value = getMember(object, key);
  return value.is_string() ? StringRef(value.get_ref<const std::string &>())
                           : StringRef();
}

bool getBool(const json &object, const char *key, bool otherwise) {
  const json &value = getMember(object, key);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

StringRef getType(const json &object) { return getString(object, "type"); }

std::vector<json> getSteps(const json &step, const char *listKey) {
  if (step.is_null())
    return {};
  if (getType(step) != "Sequence")
    return {step};
  const json &list = getMember(step, listKey);
  return list.is_array() ? std::vector<json>(list.begin(), list.end())
                         : std::vector<json>{step};
}

std::string describeSteps(ArrayRef<json> steps) {
  if (steps.empty())
    return "nothing";
  std::string text;
  for (const json &step : steps)
    text += (text.empty() ? "" : ", ") + quote(getType(step));
  return text;
}

Error BpeReader::read() {
  if (!root.is_object() || !model.is_object())
    return fail("model", "expected an object, found " + describe(model));
  StringRef type = getType(model);
  if (!type.empty() && type != "BPE" && type != "Unigram")
    return fail("model.type",
                "expected 'BPE' or 'Unigram', found " + quote(type));
  if (!getMember(model, "dropout").is_null() &&
      getMember(model, "dropout") != 0)
    return fail("model.dropout", "expected null, found " +
                                     describe(getMember(model, "dropout")));
  for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!getString(model, key).empty())
      return fail(Twine("model.") + key, "is not supported");
  if (Error error = isUnigram() ? readScores() : readVocab())
    return error;
  if (Error error = readAddedTokens())
    return error;
  return isUnigram() ? Error::success() : readMerges();
}

Error BpeReader::fail(const Twine &key, const Twine &message) const {
  return makeInputError(where, "key '" + key + "': " + message);
}

Error BpeReader::addToken(StringRef text, const json &id, const Twine &key,
                          TokenType type) {
  uint64_t most = getMember(model, "vocab").size() +
                  getMember(root, "added_tokens").size() + (1 << 16);
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
    return fail(key, "id " + Twine(place) + " is " + quote(bpe.tokens[place]) +
                         " and " + quote(text));
  bpe.tokens[place] = text.str();
  bpe.types[place] = type;
  return Error::success();
}

Error BpeReader::readVocab() {
  const json &vocab = getMember(model, "vocab");
  if (!vocab.is_object())
    return fail("model.vocab",
                "expected an object of ids, found " + describe(vocab));
  for (const auto &[text, id] : vocab.items()) {
    if (Error error = addToken(text, id, "model.vocab", TokenType::Normal))
      return error;
    ids[text] = id.get<uint32_t>();
  }
  return Error::success();
}

/// A number as serde_json reads it, with which `tokenizers` reads its files: the
/// digits are rounded to f64, and then divided by their power of ten. Sums of
/// scores that are equal, or nearly, are decided by that last bit.
static double roundTwice(double value) {
  char text[32];
  auto [end, error] = std::to_chars(text, text + sizeof(text), std::fabs(value),
                                    std::chars_format::scientific);
  auto [mantissa, exponent] = StringRef(text, size_t(end - text)).split('e');
  auto [whole, fraction] = mantissa.split('.');
  std::string both = (whole + fraction).str();
  uint64_t digits = 0;
  int power = 0;
  if (error != std::errc() || StringRef(both).getAsInteger(10, digits) ||
      exponent.ltrim('+').getAsInteger(10, power))
    return value;
  power -= int(fraction.size());
  constexpr int kMostExact = 22; // 10^22 is an f64
  if (std::abs(power) > kMostExact)
    return value;
  double scale = 1.0;
  for (int i = 0; i < std::abs(power); ++i)
    scale *= 10.0;
  double read = power < 0 ? double(digits) / scale : double(digits) * scale;
  return std::copysign(read, value);
}

/// The vocabulary of a Unigram: [["<unk>", 0.0], ...].
Error BpeReader::readScores() {
  const json &vocab = getMember(model, "vocab");
  if (!vocab.is_array())
    return fail("model.vocab",
                "expected an array of pieces, found " + describe(vocab));
  for (const json &piece : vocab) {
    size_t id = bpe.scores.size();
    std::string key = "model.vocab[" + utostr(id) + "]";
    if (!piece.is_array() || piece.size() != 2 || !piece[0].is_string() ||
        !piece[1].is_number())
      return fail(key,
                  "expected a text and a score, found " + quote(piece.dump()));
    StringRef text = piece[0].get_ref<const std::string &>();
    if (!ids.try_emplace(text, uint32_t(id)).second)
      return fail(key, quote(text) + " is there twice");
    if (Error error = addToken(text, id, key, TokenType::Normal))
      return error;
    bpe.scores.push_back(roundTwice(piece[1].get<double>()));
  }
  return Error::success();
}

Error BpeReader::readAddedTokens() {
  const json &added = getMember(root, "added_tokens");
  if (!added.is_null() && !added.is_array())
    return fail("added_tokens", "expected an array, found " + describe(added));
  for (const json &token : added)
    if (Error error = addAddedToken(token))
      return error;
  return Error::success();
}

Error BpeReader::addAddedToken(const json &token) {
  StringRef content = getString(token, "content");
  TokenType type = getBool(token, "special", false) ? TokenType::Control
                                                    : TokenType::UserDefined;
  bool isModelToken = ids.contains(content);
  if (Error error =
          addToken(content, getMember(token, "id"), "added_tokens", type))
    return error;
  SpecialRule rule;
  rule.id = getMember(token, "id").get<uint32_t>();
  rule.normalized = getBool(token, "normalized", type != TokenType::Control);
  rule.stripLeft = getBool(token, "lstrip", false);
  rule.stripRight = getBool(token, "rstrip", false);
  rule.singleWord = getBool(token, "single_word", false);
  rule.isModelToken = isModelToken;
  bpe.rules.push_back(rule);
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

Error BpeReader::readMerges() {
  const json &merges = getMember(model, "merges");
  if (!merges.is_array())
    return fail("model.merges", "expected an array, found " + describe(merges));
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
} // namespace llamaweights
