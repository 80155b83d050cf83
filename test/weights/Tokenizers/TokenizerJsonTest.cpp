//===- TokenizerJsonTest.cpp - tokenizer.json -----------------------------===//
//
// One small file of each kind, then changed in one place at a time: every
// combination that this project does not know has its complaint. What
// vocabularies encode is compared with the tokenizers library in
// test/runtime/Text/Tokenizer.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/TokenizerJson.h"
#include "weights/Tokenizers/ByteFallbackBpe.h"
#include "weights/Tokenizers/ByteLevel.h"

#include "test/weights/Messages.h"

#include <nlohmann/json.hpp>

using namespace llamatest;
using namespace llamaweights;
using llamaabi::TextStepKind;
using nlohmann::json;

namespace {

const char *const kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

json makeByteLevelStep(bool useRegex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", useRegex}};
}

json makeAdded(int id, const std::string &content, bool special = true) {
  return {{"id", id},          {"content", content}, {"single_word", false},
          {"lstrip", false},   {"rstrip", false},    {"normalized", false},
          {"special", special}};
}

/// GPT-2's kind: "Ġ" is a space.
json makeGpt2() {
  return {
      {"version", "1.0"},
      {"added_tokens", {makeAdded(5, "<|end|>"), makeAdded(6, "<u>", false)}},
      {"normalizer", nullptr},
      {"pre_tokenizer", makeByteLevelStep(true)},
      {"post_processor", nullptr},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"byte_fallback", false},
        {"vocab",
         {{"a", 0}, {"b", 1}, {"\u0120", 2}, {"ab", 3}, {"\u0120ab", 4}}},
        {"merges", json::array({"a b", "\u0120 ab"})}}}};
}

json makeLlama3() {
  json file = makeGpt2();
  file["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers",
                            {{{"type", "Split"},
                              {"pattern", {{"Regex", kLlama3Pattern}}},
                              {"behavior", "Isolated"},
                              {"invert", false}},
                             makeByteLevelStep(false)}}};
  file["model"]["ignore_merges"] = true;
  return file;
}

json makeSmolLM() {
  json file = makeGpt2();
  file["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers",
                            {{{"type", "Digits"}, {"individual_digits", true}},
                             makeByteLevelStep(true)}}};
  return file;
}

/// Llama 2's kind, without byte pieces.
json makeLlama2() {
  return {{"added_tokens", {makeAdded(0, "<unk>"), makeAdded(1, "<s>")}},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             {{{"type", "Prepend"}, {"prepend", "▁"}},
              {{"type", "Replace"},
               {"pattern", {{"String", " "}}},
               {"content", "▁"}}}}}},
          {"pre_tokenizer", nullptr},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"fuse_unk", true},
            {"byte_fallback", true},
            {"vocab",
             {{"<unk>", 0},
              {"<s>", 1},
              {"▁", 2},
              {"a", 3},
              {"b", 4},
              {"ab", 5},
              {"▁ab", 6},
              {"▁a", 7}}},
            {"merges", json::array({"a b", "▁ ab", "▁a b", "▁ a"})}}}};
}

Vocabulary read(const json &file) {
  return llvm::cantFail(readTokenizerJson(file.dump(), "t.json"));
}

std::string getComplaint(const json &file) {
  std::string message = getMessage(readTokenizerJson(file.dump(), "t.json"));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

std::vector<std::array<uint32_t, 3>> getMerges(const Vocabulary &vocabulary) {
  std::vector<std::array<uint32_t, 3>> merges;
  for (const Merge &merge : vocabulary.merges)
    merges.push_back({merge.left, merge.right, merge.result});
  return merges;
}

//===----------------------------------------------------------------------===//
// Byte-level
//===----------------------------------------------------------------------===//

TEST(TokenizerJson, ByteLevelTokensAreBytes) {
  Vocabulary vocabulary = read(makeGpt2());
  EXPECT_EQ(vocabulary.kind, VocabularyKind::ByteLevelBPE);
  EXPECT_EQ(
      vocabulary.tokens,
      std::vector<std::string>({"a", "b", " ", "ab", " ab", "<|end|>", "<u>"}));
  EXPECT_EQ(vocabulary.types[4], TokenType::Normal);
  EXPECT_EQ(vocabulary.types[5], TokenType::Control);
  EXPECT_EQ(vocabulary.types[6], TokenType::UserDefined);
  using Merges = std::vector<std::array<uint32_t, 3>>;
  EXPECT_EQ(getMerges(vocabulary), Merges({{0, 1, 3}, {2, 3, 4}}));
  EXPECT_FALSE(vocabulary.equalRankForEqualResult);
  EXPECT_FALSE(vocabulary.addBos);
}

TEST(TokenizerJson, KindsAreToldApartByTheirPreTokenizer) {
  EXPECT_EQ(read(makeGpt2()).preTokenizer, PreTokenizer::GPT2);
  EXPECT_FALSE(read(makeGpt2()).wholePieceFirst);
  EXPECT_EQ(read(makeLlama3()).preTokenizer, PreTokenizer::Llama3);
  EXPECT_TRUE(read(makeLlama3()).wholePieceFirst);
  EXPECT_EQ(read(makeSmolLM()).preTokenizer, PreTokenizer::SmolLM);
}

TEST(TokenizerJson, MergesMayBePairs) {
  json file = makeGpt2();
  file["model"]["merges"] = json::parse(R"([["a", "b"], ["\u0120", "ab"]])");
  EXPECT_EQ(getMerges(read(file)), getMerges(read(makeGpt2())));
}

TEST(TokenizerJson, TheAlphabetOfByteLevelTokens) {
  // From the definition: bytes that print in Latin-1 are themselves, the others
  // count up from U+0100.
  EXPECT_EQ(decodeByteLevel("!~"), "!~");
  EXPECT_EQ(decodeByteLevel("\u0100"), std::string(1, '\0'));
  EXPECT_EQ(decodeByteLevel("\u0120"), " ");
  EXPECT_EQ(decodeByteLevel("\u0121"), "\x7F");
  EXPECT_EQ(decodeByteLevel("\u0142"), "\xA0");
  EXPECT_EQ(decodeByteLevel("\u0143"), "\xAD");
  EXPECT_EQ(decodeByteLevel("\u00A1\u00FF"), "\xA1\xFF");
  EXPECT_EQ(decodeByteLevel(""), "");
  EXPECT_EQ(decodeByteLevel(" "), std::nullopt);
  EXPECT_EQ(decodeByteLevel("\u0144"), std::nullopt);
  EXPECT_EQ(decodeByteLevel("\xFF"), std::nullopt);
}

TEST(TokenizerJson, ThePostProcessorSaysWhetherBosIsAdded) {
  json file = makeGpt2();
  json bos = {{"SpecialToken", {{"id", "<|end|>"}, {"type_id", 0}}}};
  json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  json step = {
      {"type", "TemplateProcessing"},
      {"single", {bos, text}},
      {"special_tokens",
       {{"<|end|>",
         {{"id", "<|end|>"}, {"ids", {5}}, {"tokens", {"<|end|>"}}}}}}};
  file["post_processor"] = {{"type", "Sequence"},
                            {"processors", {makeByteLevelStep(true), step}}};
  Vocabulary vocabulary = read(file);
  EXPECT_TRUE(vocabulary.addBos);
  EXPECT_FALSE(vocabulary.addEos);
  EXPECT_EQ(vocabulary.bosToken, 5);
  step["single"] = {text, bos};
  file["post_processor"] = step;
  vocabulary = read(file);
  EXPECT_FALSE(vocabulary.addBos);
  EXPECT_TRUE(vocabulary.addEos);
  EXPECT_EQ(vocabulary.eosTokens, std::vector<int64_t>({5}));

  file["post_processor"]["single"] = {bos, bos, text};
  EXPECT_EQ(getComplaint(file), "t.json: key 'post_processor.single': puts two "
                                "tokens at one end of a text");
  file["post_processor"] = step;
  file["post_processor"]["special_tokens"]["<|end|>"]["ids"] = {99};
  EXPECT_EQ(getComplaint(file), "t.json: key 'post_processor.single': names a "
                                "token that is not one of the vocabulary");
  file["post_processor"] = {{"type", "BertProcessing"}};
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'post_processor': 'BertProcessing' is not supported");
}

TEST(TokenizerJson, OtherPipelinesAreRefused) {
  json file = makeGpt2();
  file["normalizer"] = {{"type", "StripAccents"}};
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'normalizer': 'StripAccents' is not supported");
  file = makeGpt2();
  file["pre_tokenizer"]["use_regex"] = false;
  const std::string unknown = "t.json: key 'pre_tokenizer': is not that of "
                              "Llama 3, GPT-2 or SmolLM: ";
  EXPECT_EQ(getComplaint(file), unknown + "'ByteLevel'");
  file["pre_tokenizer"] = nullptr;
  EXPECT_EQ(getComplaint(file), unknown + "nothing");
  file = makeLlama3();
  file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = R"(\p{L}+)";
  EXPECT_EQ(getComplaint(file), unknown + "'Split', 'ByteLevel'");
  file = makeLlama3();
  file["pre_tokenizer"]["pretokenizers"][0]["invert"] = true;
  EXPECT_EQ(getComplaint(file), unknown + "'Split', 'ByteLevel'");
  file = makeLlama3();
  file["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = true;
  EXPECT_EQ(getComplaint(file), unknown + "'Split', 'ByteLevel'");
  file = makeSmolLM();
  file["pre_tokenizer"]["pretokenizers"][0]["individual_digits"] = false;
  EXPECT_EQ(getComplaint(file), unknown + "'Digits', 'ByteLevel'");
  file = makeGpt2();
  file["decoder"] = {{"type", "WordPiece"}};
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'decoder': expected 'ByteLevel', found 'WordPiece'");
  file = makeGpt2();
  file["model"]["type"] = "WordPiece";
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'model.type': expected 'BPE' or 'Unigram', found "
            "'WordPiece'");
  file = makeGpt2();
  file["model"]["dropout"] = 0.1;
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'model.dropout': expected null, found 0.1");
  file = makeGpt2();
  file["model"]["end_of_word_suffix"] = "</w>";
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'model.end_of_word_suffix': is not supported");
  file = makeGpt2();
  file["model"]["unk_token"] = "<|end|>";
  EXPECT_EQ(getComplaint(file), "t.json: key 'model.unk_token': is not "
                                "supported where bytes have no token");
}

TEST(TokenizerJson, BrokenFilesAreRefused) {
  auto complainAbout = [](auto change) {
    json file = makeGpt2();
    change(file);
    return getComplaint(file);
  };
  EXPECT_EQ(getMessage(readTokenizerJson("{", "t.json")).substr(0, 8),
            "t.json: ");
  EXPECT_EQ(getComplaint(json::array()),
            "t.json: key 'model': expected an object, found null");
  EXPECT_EQ(complainAbout([](json &f) { f.erase("model"); }),
            "t.json: key 'model': expected an object, found null");
  EXPECT_EQ(complainAbout([](json &f) { f["model"]["vocab"] = 5; }),
            "t.json: key 'model.vocab': expected an object of ids, found 5");
  EXPECT_EQ(complainAbout([](json &f) { f["model"]["vocab"]["c"] = "x"; }),
            "t.json: key 'model.vocab': expected an id below 65544, found "
            "'\"x\"'");
  EXPECT_NE(complainAbout([](json &f) { f["model"]["vocab"]["c"] = 1 << 30; }),
            "");
  EXPECT_NE(complainAbout([](json &f) { f["model"]["vocab"]["c"] = -1; }), "");
  EXPECT_EQ(complainAbout([](json &f) { f["model"]["vocab"]["c"] = 1; }),
            "t.json: key 'model.vocab': id 1 is 'b' and 'c'");
  EXPECT_EQ(complainAbout([](json &f) { f["model"]["vocab"][""] = 9; }),
            "t.json: key 'model.vocab': token has 0 bytes, expected 1 to 1024");
  EXPECT_EQ(complainAbout([](json &f) { f["model"]["vocab"]["\u2581"] = 9; }),
            "t.json: key 'model.vocab': token '\u2581' is not in byte-level "
            "form");
  EXPECT_EQ(complainAbout([](json &f) { f["model"]["merges"] = nullptr; }),
            "t.json: key 'model.merges': expected an array, found null");
  EXPECT_EQ(complainAbout(
                [](json &f) { f["model"]["merges"] = json::array({"a b c"}); }),
            "t.json: key 'model.merges[0]': expected two tokens, found '\"a b "
            "c\"'");
  EXPECT_EQ(complainAbout([](json &f) { f["model"]["merges"][1] = "a c"; }),
            "t.json: key 'model.merges[1]': there is no token 'c'");
  EXPECT_EQ(complainAbout([](json &f) { f["model"]["merges"][1] = "b a"; }),
            "t.json: key 'model.merges[1]': there is no token 'ba'");
  EXPECT_EQ(
      complainAbout([](json &f) { f["added_tokens"] = "x"; }),
      "t.json: key 'added_tokens': expected an array, found the string 'x'");
  EXPECT_EQ(complainAbout([](json &f) { f["added_tokens"][0]["id"] = 3; }),
            "t.json: key 'added_tokens': id 3 is 'ab' and '<|end|>'");
  EXPECT_NE(complainAbout([](json &f) { f["added_tokens"][0] = 3; }), "");
}

//===----------------------------------------------------------------------===//
// Llama 2
//===----------------------------------------------------------------------===//

TEST(TokenizerJson, ByteFallbackBeginsWithCharacters) {
  Vocabulary vocabulary = read(makeLlama2());
  EXPECT_EQ(vocabulary.kind, VocabularyKind::CharacterBPE);
  EXPECT_EQ(vocabulary.tokens[6], " ab");
  EXPECT_EQ(vocabulary.unknownToken, 0u);
  EXPECT_EQ(vocabulary.types[1], TokenType::Control);
  ASSERT_EQ(vocabulary.steps.size(), 2u);
  EXPECT_EQ(vocabulary.steps[0].kind, TextStepKind::Prepend);
  EXPECT_EQ(vocabulary.steps[1].kind, TextStepKind::Replace);
  json file = makeLlama2();
  file["model"]["unk_token"] = nullptr;
  EXPECT_EQ(read(file).unknownToken, std::nullopt);
}

TEST(TokenizerJson, SpacesMayBeTreatedInFourWays) {
  json file = makeLlama2();
  file["normalizer"] = file["normalizer"]["normalizers"][1]; // no Prepend
  EXPECT_EQ(read(file).steps.size(), 1u);
  file["normalizer"] = nullptr;
  file["pre_tokenizer"] = {{"type", "Metaspace"},
                           {"replacement", "▁"},
                           {"prepend_scheme", "always"},
                           {"split", false}};
  EXPECT_EQ(read(file).steps[1].kind, TextStepKind::PrefixAlways);
  file["pre_tokenizer"]["prepend_scheme"] = "never";
  EXPECT_EQ(read(file).steps.size(), 1u);
  file["pre_tokenizer"]["prepend_scheme"] = "first";
  EXPECT_EQ(read(file).steps[1].kind, TextStepKind::PrefixFirst);
  file["pre_tokenizer"]["prepend_scheme"] = "last";
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'pre_tokenizer.prepend_scheme': expected 'always', "
            "'first' or 'never', found 'last'");
}

TEST(TokenizerJson, NormalizersAreKnownByName) {
  json file = makeLlama2();
  file["normalizer"] = {{"type", "NFKC"}};
  EXPECT_EQ(read(file).steps[0].kind, TextStepKind::NFKC);
  file["normalizer"] = {{"type", "Precompiled"}};
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'normalizer': 'Precompiled' is not supported");
  file["normalizer"] = {
      {"type", "Replace"}, {"pattern", {{"Regex", "a+"}}}, {"content", "b"}};
  EXPECT_EQ(getComplaint(file),
            "t.json: key 'normalizer': 'Replace' with the pattern "
            "'{\"Regex\":\"a+\"}' is not supported, expected a string");
}

TEST(TokenizerJson, AUnigramHasScores) {
  json file = makeLlama2();
  file["model"] = json::parse(R"({"type": "Unigram", "unk_id": 0,
      "vocab": [["<unk>", 0.0], ["<s>", 0.0], ["▁a", -1.5]]})");
  file["added_tokens"] = json::array();
  file["post_processor"] = nullptr;
  Vocabulary vocabulary = read(file);
  EXPECT_EQ(vocabulary.kind, VocabularyKind::Unigram);
  EXPECT_EQ(vocabulary.scores, std::vector<double>({0.0, 0.0, -1.5}));
  EXPECT_EQ(vocabulary.tokens[2], " a");
  file["model"]["unk_id"] = nullptr;
  EXPECT_EQ(getComplaint(file), "t.json: key 'model.unk_id': is missing");
  file["model"]["unk_id"] = 0;
  file["model"]["vocab"][2] = "a";
  EXPECT_EQ(getComplaint(file), "t.json: key 'model.vocab[2]': expected a text "
                                "and a score, found '\"a\"'");
}

//===----------------------------------------------------------------------===//
// As a sentencepiece model, for GGUF
//===----------------------------------------------------------------------===//

TEST(ByteFallbackBpe, BecomesSentencePieceIfItsMergesAreOne) {
  auto convert = [](const json &file) {
    return convertByteFallbackBpe(read(file), "t.json");
  };
  Vocabulary vocabulary = llvm::cantFail(convert(makeLlama2()));
  EXPECT_EQ(vocabulary.kind, VocabularyKind::SentencePiece);
  EXPECT_EQ(vocabulary.types[0], TokenType::Unknown);
  EXPECT_TRUE(vocabulary.addSpacePrefix);
  json file = makeLlama2();
  file["model"]["merges"] = json::array({"a b", "▁ ab", "▁ a"});
  EXPECT_EQ(getMessage(convert(file)),
            "t.json: no merge joins ' a' and 'b', so this "
            "is not a sentencepiece model");
  file["model"]["merges"] = json::array({"a b", "▁ ab", "▁ a", "▁a b"});
  EXPECT_EQ(getMessage(convert(file)),
            "t.json: merge 3 into ' ab' is apart from the "
            "others into it, so this is not a sentencepiece "
            "model");
  file = makeLlama2();
  file["added_tokens"].push_back(makeAdded(8, "<u>", false));
  EXPECT_EQ(llvm::cantFail(convert(file)).types[8], TokenType::UserDefined);
  file["added_tokens"].back()["lstrip"] = true;
  EXPECT_EQ(getMessage(convert(file)),
            "t.json: tokenizer: added token '<u>' is looked for in a way "
            "(normalized, lstrip, rstrip or single_word) that a sentencepiece "
            "model cannot express");
}

} // namespace
