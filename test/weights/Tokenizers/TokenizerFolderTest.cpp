//===- TokenizerFolderTest.cpp - The tokenizer of a checkpoint folder -----===//
//
// Which file is read, and what the files next to it add.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/TokenizerFolder.h"

#include "weights/Tokenizers/SentencePieceModel.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include "llvm/Support/Base64.h"

#include <nlohmann/json.hpp>

using namespace llamatest;
using namespace llamaweights;
using nlohmann::json;

namespace {

json makeTokenizerJson(std::vector<std::string> specials = {"<b>", "<e>"}) {
  json added = json::array();
  for (size_t i = 0; i < specials.size(); ++i)
    added.push_back(
        {{"id", 2 + i}, {"content", specials[i]}, {"special", true}});
  return {
      {"added_tokens", added},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
      {"model",
       {{"type", "BPE"},
        {"vocab", {{"a", 0}, {"b", 1}}},
        {"merges", json::array()}}}};
}

std::string makeTiktoken() {
  std::string text;
  for (int byte = 0; byte < 256; ++byte)
    text += llvm::encodeBase64(std::string(1, char(byte))) + " " +
            std::to_string(byte) + "\n";
  return text;
}

std::string makeSentencePiece() {
  std::vector<SentencePiece> pieces = {{"<unk>", 0, TokenType::Unknown},
                                       {"<s>", 0, TokenType::Control},
                                       {"</s>", 0, TokenType::Control},
                                       {"a", -1, TokenType::Normal}};
  return llvm::cantFail(makeSentencePieceVocabulary(pieces, {}, "x"))
      .sentencePieceModel;
}

struct TokenizerFolder : testing::Test {
  TempFolder folder;

  void write(const std::string &name, const json &value) {
    folder.write(name, value.dump());
  }
  Vocabulary read() {
    auto vocabulary = readTokenizerFolder(folder.path);
    EXPECT_TRUE(bool(vocabulary));
    return std::move(llvm::cantFail(std::move(vocabulary)).value());
  }
  /// The message after "folder/".
  std::string getComplaint() {
    std::string message = getMessage(readTokenizerFolder(folder.path));
    EXPECT_EQ(message.find('\n'), std::string::npos);
    llvm::StringRef rest = message;
    EXPECT_TRUE(rest.consume_front(folder.path + "/")) << message;
    return rest.str();
  }
};

//===----------------------------------------------------------------------===//
// Which file
//===----------------------------------------------------------------------===//

TEST_F(TokenizerFolder, AFolderWithoutATokenizerHasNone) {
  write("config.json", json::object());
  EXPECT_EQ(llvm::cantFail(readTokenizerFolder(folder.path)), std::nullopt);
}

TEST_F(TokenizerFolder, TokenizerJsonIsPreferredToTiktoken) {
  folder.write("tokenizer.model", makeTiktoken());
  EXPECT_EQ(read().tokens.size(), 512u);
  write("tokenizer.json", makeTokenizerJson());
  EXPECT_EQ(read().tokens.size(), 4u);
}

TEST_F(TokenizerFolder, SentencePieceStandsInForATokenizerJsonOfAnotherKind) {
  folder.write("tokenizer.model", makeSentencePiece());
  json file = makeTokenizerJson({"</s>", "a", "<pad>"});
  write("tokenizer.json", file);
  EXPECT_EQ(read().kind, VocabularyKind::ByteLevelBPE);
  file["normalizer"] = {{"type", "Precompiled"}};
  write("tokenizer.json", file);
  Vocabulary vocabulary = read();
  EXPECT_EQ(vocabulary.kind, VocabularyKind::SentencePiece);
  // What tokenizer.json adds after the model's pieces is kept.
  EXPECT_EQ(vocabulary.tokens.size(), 5u);
  EXPECT_EQ(vocabulary.tokens[4], "<pad>");
  EXPECT_EQ(vocabulary.types[4], TokenType::Control);
  file["added_tokens"][2]["id"] = 9;
  write("tokenizer.json", file);
  EXPECT_EQ(getComplaint(), "tokenizer.json: added token '<pad>': expected id "
                            "4, found 9");
}

TEST_F(TokenizerFolder, FilesBesideASentencePieceModelAddTokens) {
  folder.write("tokenizer.model", makeSentencePiece());
  write("added_tokens.json", {{"<note>", 4}, {"<|end|>", 5}});
  write("special_tokens_map.json",
        {{"additional_special_tokens", {{{"content", "<|end|>"}}}}});
  Vocabulary vocabulary = read();
  EXPECT_EQ(vocabulary.tokens.size(), 6u);
  EXPECT_EQ(vocabulary.types[4], TokenType::UserDefined);
  EXPECT_EQ(vocabulary.types[5], TokenType::Control);
  // tokenizer_config.json goes first, as in transformers.
  write("tokenizer_config.json",
        {{"added_tokens_decoder",
          {{"4", {{"content", "<x>"}, {"special", true}, {"rstrip", true}}}}}});
  vocabulary = read();
  EXPECT_EQ(vocabulary.tokens.size(), 5u);
  EXPECT_EQ(vocabulary.tokens[4], "<x>");
  EXPECT_EQ(vocabulary.types[4], TokenType::Control);
  EXPECT_TRUE(vocabulary.specialRules[0].stripRight);
  write("tokenizer_config.json", {{"added_tokens_decoder", {{"x", 1}}}});
  EXPECT_EQ(getComplaint(), "tokenizer_config.json: key "
                            "'added_tokens_decoder': expected an id, found "
                            "'x'");
  // Found by fuzzing: a text is quoted wherever it stands.
  write("tokenizer_config.json", json::object());
  write("added_tokens.json", {{"<\x7f\n>", "4"}});
  EXPECT_EQ(getComplaint(),
            R"(added_tokens.json: key '<\7F\0A>': expected id and content)");
  write("tokenizer_config.json",
        {{"added_tokens_decoder", {{"3", {{"content", "<x>"}}}}}});
  EXPECT_TRUE(llvm::StringRef(getComplaint())
                  .starts_with("tokenizer_config.json: key '3': is "));
}

TEST_F(TokenizerFolder, FilesAreToldApartByTheirContent) {
  auto getKind = [&](const std::string &bytes) {
    return llvm::cantFail(readTokenizerFile(folder.write("file", bytes))).kind;
  };
  EXPECT_EQ(getKind(makeTiktoken()), VocabularyKind::ByteLevelBPE);
  EXPECT_EQ(getKind(makeSentencePiece()), VocabularyKind::SentencePiece);
  EXPECT_EQ(getKind("\n " + makeTokenizerJson().dump()),
            VocabularyKind::ByteLevelBPE);
  std::string path = folder.write("file", "what is this");
  EXPECT_EQ(getMessage(readTokenizerFile(path)),
            path + ": is neither a tokenizer.json nor a sentencepiece model "
                   "nor a tiktoken text");
  EXPECT_NE(getMessage(readTokenizerFile(folder.at("absent"))), "");
  EXPECT_NE(getMessage(readTokenizerFile(folder.path)), "");
}

//===----------------------------------------------------------------------===//
// Files next to it
//===----------------------------------------------------------------------===//

TEST_F(TokenizerFolder, TokenizerConfigNamesBosAndEos) {
  write("tokenizer.json", makeTokenizerJson());
  write("tokenizer_config.json",
        {{"bos_token", {{"content", "<b>"}}},
         {"eos_token", "<e>"},
         {"add_bos_token", true},
         {"added_tokens_decoder", {{"2", {{"content", "<b>"}}}}}});
  Vocabulary vocabulary = read();
  EXPECT_EQ(vocabulary.bosToken, 2);
  EXPECT_EQ(vocabulary.eosTokens, std::vector<int64_t>({3}));
  EXPECT_TRUE(vocabulary.addBos);
  EXPECT_FALSE(vocabulary.addEos);
}

TEST_F(TokenizerFolder, SpecialTokensMapHelpsOut) {
  write("tokenizer.json", makeTokenizerJson());
  write("tokenizer_config.json", {{"bos_token", nullptr}});
  write("special_tokens_map.json",
        {{"bos_token", "<b>"}, {"eos_token", {{"content", "<e>"}}}});
  EXPECT_EQ(read().bosToken, 2);
  EXPECT_EQ(read().eosTokens, std::vector<int64_t>({3}));
  EXPECT_FALSE(read().addBos); // GPT-2's kind does not say so
}

json makeLlama3Json(std::vector<std::string> specials) {
  json file = makeTokenizerJson(std::move(specials));
  file["pre_tokenizer"] = json::parse(
      R"({"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern":
      {"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
      "behavior": "Isolated", "invert": false}, {"type": "ByteLevel",
      "add_prefix_space": false, "use_regex": false}]})");
  return file;
}

TEST_F(TokenizerFolder, Llama3BeginsWithBosUnlessToldOtherwise) {
  write("tokenizer.json", makeLlama3Json({"<b>"}));
  EXPECT_FALSE(read().addBos);
  write("tokenizer_config.json", {{"bos_token", "<b>"}});
  EXPECT_TRUE(read().addBos);
  write("tokenizer_config.json",
        {{"bos_token", "<b>"}, {"add_bos_token", false}});
  EXPECT_FALSE(read().addBos);
}

TEST_F(TokenizerFolder, AFileAloneIsKnownByItsNames) {
  json file = makeLlama3Json({"<|begin_of_text|>", "<|eot_id|>"});
  Vocabulary vocabulary = llvm::cantFail(
      readTokenizerFile(folder.write("tokenizer.json", file.dump())));
  EXPECT_EQ(vocabulary.bosToken, 2);
  EXPECT_TRUE(vocabulary.addBos);
  EXPECT_EQ(vocabulary.eosTokens, std::vector<int64_t>({3}));
}

TEST_F(TokenizerFolder, EveryEndOfAReplyIsListed) {
  write("tokenizer.json",
        makeTokenizerJson({"<b>", "<e>", "<|eot_id|>", "<|im_end|>"}));
  write("tokenizer_config.json", {{"eos_token", "<e>"}});
  EXPECT_EQ(read().eosTokens, std::vector<int64_t>({3, 4, 5}));
  write("generation_config.json", {{"eos_token_id", 0}});
  EXPECT_EQ(read().eosTokens, std::vector<int64_t>({3, 0, 4, 5}));
  write("generation_config.json", {{"eos_token_id", {1, 5, 3}}});
  EXPECT_EQ(read().eosTokens, std::vector<int64_t>({3, 1, 5, 4}));
}

TEST_F(TokenizerFolder, TheChatTemplateComesFromWhereItIs) {
  write("tokenizer.json", makeTokenizerJson());
  EXPECT_EQ(read().chatTemplate, "");
  write("tokenizer_config.json", {{"chat_template", "{{ one }}"}});
  EXPECT_EQ(read().chatTemplate, "{{ one }}");
  write("tokenizer_config.json",
        {{"chat_template",
          {{{"name", "tool_use"}, {"template", "{{ tools }}"}},
           {{"name", "default"}, {"template", "{{ two }}"}}}}});
  EXPECT_EQ(read().chatTemplate, "{{ two }}");
  ASSERT_EQ(read().chatTemplates.size(), 1u);
  EXPECT_EQ(read().chatTemplates[0].first, "tool_use");
  EXPECT_EQ(read().chatTemplates[0].second, "{{ tools }}");
  folder.write("chat_template.jinja", "{{ three }}\n");
  EXPECT_EQ(read().chatTemplate, "{{ three }}\n");
}

TEST_F(TokenizerFolder, SaysWhatIsWrongBesideIt) {
  write("tokenizer.json", makeTokenizerJson());
  write("tokenizer_config.json", json::array());
  EXPECT_EQ(getComplaint(),
            "tokenizer_config.json: expected an object, found an array");
  write("tokenizer_config.json", {{"bos_token", "<x>"}});
  EXPECT_EQ(getComplaint(),
            "tokenizer_config.json: key 'bos_token': there is no token '<x>'");
  write("tokenizer_config.json", {{"add_bos_token", 1}});
  EXPECT_EQ(getComplaint(), "tokenizer_config.json: key 'add_bos_token': "
                            "expected true or false");
  write("tokenizer_config.json", {{"add_bos_token", true}});
  EXPECT_EQ(getComplaint(), "tokenizer_config.json: key 'add_bos_token': is "
                            "true, but there is no bos token");
  write("tokenizer_config.json", {{"chat_template", {{{"name", "x"}}}}});
  EXPECT_EQ(getComplaint(), "tokenizer_config.json: key 'chat_template': "
                            "expected templates with a name and a template, "
                            "found an object");
  write("tokenizer_config.json", {{"chat_template", 5}});
  EXPECT_EQ(getComplaint(),
            "tokenizer_config.json: key 'chat_template': expected a string or "
            "an array of named templates");
  write("tokenizer_config.json", json::object());
  write("special_tokens_map.json", {{"eos_token", "<x>"}});
  EXPECT_EQ(getComplaint(), "special_tokens_map.json: key 'eos_token': there "
                            "is no token '<x>'");
  write("special_tokens_map.json", json::object());
  write("generation_config.json", {{"eos_token_id", {0, 77}}});
  EXPECT_EQ(getComplaint(), "generation_config.json: key 'eos_token_id': "
                            "expected a token id below 4, found '77'");
  folder.write("generation_config.json", "{");
  EXPECT_EQ(getComplaint().substr(0, 24), "generation_config.json: ");
}

} // namespace
