//===- GgufVocabulary.cpp - The tokenizer inside a *.gguf file ------------===//
//
// tokenizer.ggml.model "gpt2":  byte-level BPE; tokens in the alphabet that
//   stands for bytes, special ones as text, merges as "left right".
// tokenizer.ggml.model "llama": the pieces and scores of a sentencepiece model,
//   from which such a model is written again.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/GgufVocabulary.h"

#include "weights/Containers/GgufKeys.h"
#include "weights/InputError.h"
#include "weights/Tokenizers/ByteLevel.h"
#include "weights/Tokenizers/SentencePieceModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;

namespace llamaweights {
namespace {

#define GGML "tokenizer.ggml."

/// An id that is there and not 2^32 - 1, which older files write for "none".
std::optional<int64_t> findToken(GgufKeys &keys, StringRef key, size_t count) {
  constexpr int64_t kNoToken = 0xffffffff;
  int64_t token = kNoToken;
  keys.find(key, token);
  if (token == kNoToken)
    return std::nullopt;
  if (token < 0 || token >= int64_t(count))
    keys.fail(key, "is " + Twine(token) + ", but there are " + Twine(count) +
                       " tokens");
  return token;
}

std::vector<TokenType> readTypes(GgufKeys &keys, size_t count, bool required) {
  std::vector<TokenType> types(count, TokenType::Normal);
  StringRef key = GGML "token_type";
  if (!required && !keys.has(key))
    return types;
  const GgufValue *value = keys.readArray(key, count);
  if (!value)
    return types;
  for (size_t i = 0; i < count; ++i) {
    std::optional<int64_t> type = value->getInteger(i);
    if (!type || *type < int64_t(TokenType::Normal) ||
        *type > int64_t(TokenType::Byte)) {
      keys.fail(key, "token " + Twine(i) + ": expected a type from 1 to 6");
      break;
    }
    types[i] = TokenType(*type);
  }
  return types;
}

/// What llama.cpp does for a name of a pre-tokenizer.
struct NamedPattern {
  StringLiteral name;
  PreTokenizer pattern;
  bool wholePieceFirst = false; ///< and bos in front, if no key denies it
};

constexpr NamedPattern kPatterns[] = {
    {"llama-bpe", PreTokenizer::Llama3, true},
    {"llama3", PreTokenizer::Llama3, true},
    {"llama-v3", PreTokenizer::Llama3, true},
    {"falcon3", PreTokenizer::Llama3, true},
    {"falcon-h1", PreTokenizer::Llama3, true},
    {"pixtral", PreTokenizer::Llama3, true},
    {"midm-2.0", PreTokenizer::Llama3, true},
    {"lfm2", PreTokenizer::Llama3, true},
    {"dbrx", PreTokenizer::Llama3},
    {"smaug-bpe", PreTokenizer::Llama3},
    {"tekken", PreTokenizer::Tekken, true},
    {"smollm", PreTokenizer::SmolLM},
    {"starcoder", PreTokenizer::SmolLM},
    {"refact", PreTokenizer::SmolLM},
    {"command-r", PreTokenizer::SmolLM},
    {"codeshell", PreTokenizer::SmolLM},
    {"exaone", PreTokenizer::SmolLM},
    {"minerva-7b", PreTokenizer::SmolLM},
    {"gpt-2", PreTokenizer::GPT2},
    {"mpt", PreTokenizer::GPT2},
    {"olmo", PreTokenizer::GPT2},
    {"jais", PreTokenizer::GPT2},
    {"phi-2", PreTokenizer::GPT2},
    {"gigachat", PreTokenizer::GPT2},
    {"mellum", PreTokenizer::GPT2},
    {"trillion", PreTokenizer::GPT2},
    {"qwen2", PreTokenizer::Qwen2},
    {"stablelm2", PreTokenizer::Qwen2},
    {"deepseek-r1-qwen", PreTokenizer::Qwen2},
    {"megrez", PreTokenizer::Qwen2},
    {"default", PreTokenizer::Default},
    {"falcon", PreTokenizer::Falcon},
    {"deepseek-llm", PreTokenizer::DeepSeekLLM},
    {"deepseek-coder", PreTokenizer::DeepSeekCoder},
};

/// The pattern that cuts text into pieces.
void readPreTokenizer(GgufKeys &keys, Vocabulary &vocabulary) {
  std::string name;
  keys.read(GGML "pre", name);
  const auto *found = find_if(kPatterns, [&](const NamedPattern &pattern) {
    return pattern.name == name;
  });
  if (found != std::end(kPatterns)) {
    vocabulary.preTokenizer = found->pattern;
    vocabulary.wholePieceFirst = found->wholePieceFirst;
    return;
  }
  std::string names;
  for (const NamedPattern &pattern : kPatterns)
    names += (names.empty() ? "" : ", ") + quote(pattern.name);
  keys.fail(GGML "pre", "pre-tokenizer " + quote(name) +
                            " is not supported, expected one of " + names);
}

/// Text of the tokens that merges may speak of => id.
using TokenIds = StringMap<uint32_t>;

void readByteLevelTokens(GgufKeys &keys, ArrayRef<std::string> tokens,
                         Vocabulary &vocabulary, TokenIds &ids) {
  vocabulary.types = readTypes(keys, tokens.size(), /*required=*/false);
  vocabulary.tokens.reserve(tokens.size());
  for (auto [i, text] : enumerate(tokens)) {
    if (vocabulary.types[i] != TokenType::Normal) {
      vocabulary.tokens.push_back(text);
      continue;
    }
    std::optional<std::string> bytes = decodeByteLevel(text);
    if (!bytes)
      return keys.fail(GGML "tokens",
                       "token " + Twine(i) + ", " + quote(text) +
                           ", is not in the alphabet that stands for bytes");
    auto [first, isNew] = ids.try_emplace(text, uint32_t(i));
    if (!isNew)
      return keys.fail(GGML "tokens", "tokens " + Twine(first->second) +
                                          " and " + Twine(i) + " are both " +
                                          quote(text));
    vocabulary.tokens.push_back(std::move(*bytes));
  }
}

void readMerges(GgufKeys &keys, const TokenIds &ids, Vocabulary &vocabulary) {
  StringRef key = GGML "merges";
  for (auto [i, text] : enumerate(keys.readStrings(key))) {
    auto [left, right] = StringRef(text).split(' ');
    auto leftId = ids.find(left), rightId = ids.find(right);
    auto resultId = ids.find((left + right).str());
    if (leftId == ids.end() || rightId == ids.end() || resultId == ids.end())
      return keys.fail(key, "merge " + Twine(i) + ", " + quote(text) +
                                ", expected two tokens that together are a "
                                "third, separated by a space");
    vocabulary.merges.push_back(
        {leftId->second, rightId->second, resultId->second});
  }
}

void readByteLevel(GgufKeys &keys, Vocabulary &vocabulary) {
  TokenIds ids;
  readPreTokenizer(keys, vocabulary);
  readByteLevelTokens(keys, keys.readStrings(GGML "tokens"), vocabulary, ids);
  readMerges(keys, ids, vocabulary);
}

Error readSentencePiece(GgufKeys &keys, StringRef path,
                        Vocabulary &vocabulary) {
  ArrayRef<std::string> tokens = keys.readStrings(GGML "tokens");
  std::vector<TokenType> types =
      readTypes(keys, tokens.size(), /*required=*/true);
  const GgufValue *scores = keys.readArray(GGML "scores", tokens.size());
  SentencePieceOptions options;
  keys.find(GGML "add_space_prefix", options.addSpacePrefix);
  keys.find(GGML "remove_extra_whitespaces", options.removeExtraSpaces);
  if (keys.has(GGML "precompiled_charsmap"))
    keys.fail(GGML "precompiled_charsmap", "is not supported");
  if (scores && scores->type != GgufType::F32)
    keys.fail(GGML "scores", "expected an array of f32");

  std::vector<SentencePiece> pieces;
  pieces.reserve(tokens.size());
  for (auto [i, text] : enumerate(tokens)) {
    std::optional<double> score = scores ? scores->getNumber(i) : std::nullopt;
    pieces.push_back({text, float(score.value_or(0.0)), types[i]});
  }
  if (Error error = keys.finish())
    return error;
  return makeSentencePieceVocabulary(pieces, options, path)
      .moveInto(vocabulary);
}

/// To llama.cpp an unknown token is a control token: its text is looked for, and
/// not printed.
void makeUnknownControl(GgufKeys &keys, Vocabulary &vocabulary) {
  ArrayRef<std::string> texts = keys.readStrings(GGML "tokens");
  for (size_t id = 0; id < vocabulary.types.size(); ++id)
    if (vocabulary.types[id] == TokenType::Unknown) {
      vocabulary.types[id] = TokenType::Control;
      vocabulary.tokens[id] = texts[id];
    }
}

/// Bos, and everything that ends a reply.
void readSpecialTokens(GgufKeys &keys, Vocabulary &vocabulary) {
  size_t count = vocabulary.tokens.size();
  auto addEos = [&](int64_t token) {
    if (!is_contained(vocabulary.eosTokens, token))
      vocabulary.eosTokens.push_back(token);
  };
  vocabulary.bosToken = findToken(keys, GGML "bos_token_id", count);
  for (StringRef key :
       {GGML "eos_token_id", GGML "eot_token_id", GGML "eom_token_id"})
    if (std::optional<int64_t> token = findToken(keys, key, count))
      addEos(*token);
  // Llama 3 has three ends, and the keys usually name one of them.
  if (vocabulary.preTokenizer == PreTokenizer::Llama3 &&
      vocabulary.kind == VocabularyKind::ByteLevelBPE)
    for (auto [i, text] : enumerate(vocabulary.tokens))
      if (vocabulary.types[i] == TokenType::Control &&
          is_contained({"<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"},
                       StringRef(text)))
        addEos(int64_t(i));
}

/// Whether text begins with bos and ends with eos where nobody says otherwise.
void readAddedTokens(GgufKeys &keys, Vocabulary &vocabulary) {
  bool addBos = vocabulary.kind == VocabularyKind::SentencePiece ||
                vocabulary.wholePieceFirst;
  vocabulary.addBos = addBos && vocabulary.bosToken;
  keys.find(GGML "add_bos_token", vocabulary.addBos);
  keys.find(GGML "add_eos_token", vocabulary.addEos);
  if (vocabulary.addBos && !vocabulary.bosToken)
    keys.fail(GGML "add_bos_token",
              "is true, but there is no " GGML "bos_token_id");
  if (vocabulary.addEos && vocabulary.eosTokens.empty())
    keys.fail(GGML "add_eos_token",
              "is true, but there is no " GGML "eos_token_id");
}

/// The texts of tokens as the file spells them, which is how transformers shows
/// them to templates.
void readNamedTokens(GgufKeys &keys, Vocabulary &vocabulary) {
  ArrayRef<std::string> texts = keys.readStrings(GGML "tokens");
  for (const GgufNamedToken &named : getGgufNamedTokens())
    if (auto id = findToken(keys, named.key, texts.size());
        id && size_t(*id) < texts.size())
      vocabulary.specialTokens.emplace_back(named.name, texts[size_t(*id)]);
}

/// tokenizer.chat_template, tokenizer.chat_template.NAME
void readChatTemplates(GgufKeys &keys, const GgufFile &file,
                       Vocabulary &vocabulary) {
  keys.find("tokenizer.chat_template", vocabulary.chatTemplate);
  for (const auto &[key, value] : file.keys) {
    StringRef name = key;
    if (!name.consume_front(kGgufTemplatePrefix))
      continue;
    std::string text;
    keys.read(key, text);
    vocabulary.chatTemplates.emplace_back(name, std::move(text));
  }
  if (!keys.has(kGgufTemplateNames))
    return;
  for (const std::string &name : keys.readStrings(kGgufTemplateNames))
    if (!keys.has((kGgufTemplatePrefix + name).str()))
      keys.fail(kGgufTemplateNames,
                "lists " + quote(name) + ", but there is no key " +
                    quote((kGgufTemplatePrefix + name).str()));
}

/// Whether the end of one text is the beginning of the other, or one holds the
/// other.
bool doOverlap(StringRef a, StringRef b) {
  if (a.contains(b) || b.contains(a))
    return true;
  for (size_t length = 1; length < std::min(a.size(), b.size()); ++length)
    if (a.ends_with(b.take_front(length)) || b.ends_with(a.take_front(length)))
      return true;
  return false;
}

/// llama.cpp looks for the longest special token first, in the whole text. That
/// is the same as from left to right unless two of them can overlap.
bool needsLongestFirst(const Vocabulary &vocabulary) {
  std::vector<StringRef> texts;
  for (auto [text, type] : zip_equal(vocabulary.tokens, vocabulary.types))
    if (is_contained({TokenType::Control, TokenType::UserDefined}, type) &&
        !text.empty())
      texts.push_back(text);
  constexpr size_t kMany = 4096; // pairs are not compared then
  if (texts.size() > kMany)
    return true;
  for (size_t i = 0; i < texts.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (doOverlap(texts[i], texts[k]))
        return true;
  return false;
}

/// The library would find user-defined pieces after it has put a space in front
/// of the text; llama.cpp looks for them in the text itself.
bool hasUserPieces(const Vocabulary &vocabulary) {
  return vocabulary.kind == VocabularyKind::SentencePiece &&
         is_contained(vocabulary.types, TokenType::UserDefined);
}

} // namespace

ArrayRef<GgufNamedToken> getGgufNamedTokens() {
  static constexpr GgufNamedToken tokens[] = {
      {"bos_token", GGML "bos_token_id"},
      {"eos_token", GGML "eos_token_id"},
      {"unk_token", GGML "unknown_token_id"},
      {"sep_token", GGML "seperator_token_id"}, // spelt so
      {"pad_token", GGML "padding_token_id"},
      {"cls_token", GGML "cls_token_id"},
      {"mask_token", GGML "mask_token_id"},
  };
  return tokens;
}

Expected<std::optional<Vocabulary>> readGgufVocabulary(const GgufFile &file) {
  GgufKeys keys(file);
  std::string model = "none";
  keys.find(GGML "model", model);
  Vocabulary vocabulary;
  if (model == "gpt2") {
    readByteLevel(keys, vocabulary);
  } else if (model == "llama") {
    vocabulary.kind = VocabularyKind::SentencePiece;
    if (Error error = readSentencePiece(keys, file.path, vocabulary))
      return std::move(error);
  } else if (model != "none" && model != "no_vocab") {
    keys.fail(GGML "model", "tokenizer " + quote(model) +
                                " is not supported, expected 'gpt2' or "
                                "'llama'");
  }
  if (Error error = keys.finish())
    return std::move(error);
  if (vocabulary.tokens.empty())
    return std::nullopt;

  makeUnknownControl(keys, vocabulary);
  readSpecialTokens(keys, vocabulary);
  readAddedTokens(keys, vocabulary);
  vocabulary.longestFirst =
      hasUserPieces(vocabulary) || needsLongestFirst(vocabulary);
  readNamedTokens(keys, vocabulary);
  readChatTemplates(keys, file, vocabulary);
  if (Error error = keys.finish())
    return std::move(error);
  return vocabulary;
}

#undef GGML

} // namespace llamaweights
