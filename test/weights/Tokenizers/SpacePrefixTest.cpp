//===- SpacePrefixTest.cpp - Where texts for tokenizer.model get a space --===//
//
// What the ids then are: test/runtime/Text/Tokenizer/added-tokens.py.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/SpacePrefix.h"

#include "weights/Tokenizers/SentencePieceModel.h"
#include "weights/Tokenizers/TokenizerFolder.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <nlohmann/json.hpp>

using namespace llamatest;
using namespace llamaweights;
using llamaabi::TextStepKind;
using nlohmann::json;

namespace {

std::string makeModel(const SentencePieceOptions &options = {}) {
  std::vector<SentencePiece> pieces = {{"<u>", 0, TokenType::Unknown},
                                       {"<s>", 0, TokenType::Control},
                                       {"</s>", 0, TokenType::Control},
                                       {"a", -1, TokenType::Normal},
                                       {"[X]", 0, TokenType::UserDefined}};
  return llvm::cantFail(makeSentencePieceVocabulary(pieces, options, "x"))
      .sentencePieceModel;
}

struct SpacePrefix : testing::Test {
  TempFolder folder;

  SpacePrefix() { folder.write("tokenizer.model", makeModel()); }

  Vocabulary read(const json &config) {
    folder.write("tokenizer_config.json", config.dump());
    return std::move(llvm::cantFail(readTokenizerFolder(folder.path)).value());
  }
  /// The message after "folder/".
  std::string getComplaint(const json &config) {
    folder.write("tokenizer_config.json", config.dump());
    std::string message = getMessage(readTokenizerFolder(folder.path));
    llvm::StringRef rest = message;
    EXPECT_TRUE(rest.consume_front(folder.path + "/")) << message;
    return rest.str();
  }
  /// What the library is told about spaces.
  bool getLibraryPrefix(const Vocabulary &vocabulary) {
    SentencePieceOptions options;
    llvm::cantFail(
        readSentencePieces(vocabulary.sentencePieceModel, "x", options));
    return options.addSpacePrefix;
  }
};

TEST_F(SpacePrefix, TheLibrarysOwnIsLeftAlone) {
  for (const json &config :
       {json::object(), json{{"legacy", true}, {"add_prefix_space", true}},
        json{{"legacy", nullptr}}}) {
    Vocabulary vocabulary = read(config);
    EXPECT_TRUE(vocabulary.steps.empty());
    EXPECT_TRUE(getLibraryPrefix(vocabulary));
    EXPECT_EQ(vocabulary.types[0], TokenType::Unknown);
  }
}

TEST_F(SpacePrefix, LegacyFalsePutsOneInFrontOfTheFirstStretch) {
  Vocabulary vocabulary = read({{"legacy", false}});
  ASSERT_EQ(vocabulary.steps.size(), 2u);
  EXPECT_EQ(vocabulary.steps[0].kind, TextStepKind::Replace);
  EXPECT_EQ(vocabulary.steps[1].kind, TextStepKind::PrefixFirst);
  EXPECT_TRUE(vocabulary.addSpacePrefix); // decoding drops it
  EXPECT_FALSE(getLibraryPrefix(vocabulary));
}

TEST_F(SpacePrefix, AddPrefixSpaceFalsePutsNone) {
  for (bool legacy : {false, true}) {
    Vocabulary vocabulary =
        read({{"legacy", legacy}, {"add_prefix_space", false}});
    EXPECT_TRUE(vocabulary.steps.empty());
    EXPECT_FALSE(vocabulary.addSpacePrefix);
    EXPECT_FALSE(getLibraryPrefix(vocabulary));
  }
}

TEST_F(SpacePrefix, PiecesAreAddedTokensThen) {
  Vocabulary vocabulary = read({{"legacy", false}});
  EXPECT_EQ(vocabulary.tokens[0], "<u>");
  EXPECT_EQ(vocabulary.types[0], TokenType::Control);
  ASSERT_EQ(vocabulary.specialRules.size(), 1u);
  EXPECT_EQ(vocabulary.specialRules[0].id, 4u);
}

TEST_F(SpacePrefix, NormalizedCountsOnlyThen) {
  json config = {{"added_tokens_decoder",
                  {{"5", {{"content", "<n>"}, {"normalized", true}}}}}};
  EXPECT_FALSE(read(config).specialRules[0].normalized);
  config["legacy"] = false;
  EXPECT_TRUE(read(config).specialRules[0].normalized);
}

TEST_F(SpacePrefix, SaysWhatIsWrong) {
  EXPECT_EQ(getComplaint({{"legacy", 1}}),
            "tokenizer_config.json: key 'legacy': expected true or false, "
            "found 1");
  EXPECT_EQ(getComplaint({{"add_prefix_space", "no"}}),
            "tokenizer_config.json: key 'add_prefix_space': expected true or "
            "false, found the string 'no'");
  std::string rest = ", which is not supported with legacy or "
                     "add_prefix_space false in tokenizer_config.json";
  SentencePieceOptions options;
  options.removeExtraSpaces = true;
  folder.write("tokenizer.model", makeModel(options));
  EXPECT_EQ(getComplaint({{"legacy", false}}),
            "tokenizer.model: removes spaces" + rest);
  options = {};
  options.addSpacePrefix = false;
  folder.write("tokenizer.model", makeModel(options));
  EXPECT_EQ(getComplaint({{"legacy", false}}),
            "tokenizer.model: puts no space in front of texts" + rest);
}

} // namespace
