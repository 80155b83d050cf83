//===- TiktokenTest.cpp - tokenizer.model of Llama 3 ----------------------===//
//
// A small file made here, and what can be wrong with one. What the vocabulary
// encodes is compared with tiktoken in test/runtime/Text/Tokenizer.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/Tiktoken.h"

#include "test/weights/Messages.h"

#include "llvm/Support/Base64.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

std::vector<std::string> makeTokens() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte)
    tokens.push_back(std::string(1, char(byte)));
  for (const char *token : {"ab", "abab", "bab", "zzz"})
    tokens.push_back(token);
  return tokens;
}

std::string makeFile(const std::vector<std::string> &tokens) {
  std::string text;
  for (size_t rank = 0; rank < tokens.size(); ++rank)
    text +=
        llvm::encodeBase64(tokens[rank]) + " " + std::to_string(rank) + "\n";
  return text;
}

std::string getComplaint(const std::string &text) {
  std::string message = getMessage(readTiktoken(text, "t.model"));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

TEST(Tiktoken, EveryCutIntoTwoTokensIsAMerge) {
  Vocabulary vocabulary =
      llvm::cantFail(readTiktoken(makeFile(makeTokens()), "t.model"));
  EXPECT_EQ(vocabulary.kind, VocabularyKind::ByteLevelBPE);
  EXPECT_TRUE(vocabulary.wholePieceFirst);
  EXPECT_TRUE(vocabulary.equalRankForEqualResult);
  std::vector<std::array<uint32_t, 3>> merges;
  for (const Merge &merge : vocabulary.merges)
    merges.push_back({merge.left, merge.right, merge.result});
  EXPECT_EQ(merges, (std::vector<std::array<uint32_t, 3>>{
                        {'a', 'b', 256},    // ab
                        {'a', 258, 257},    // a bab
                        {256, 256, 257},    // ab ab
                        {'b', 256, 258}})); // b ab; nothing makes zzz
}

TEST(Tiktoken, TheSpecialTokensOfLlama3Follow) {
  Vocabulary vocabulary =
      llvm::cantFail(readTiktoken(makeFile(makeTokens()), "t.model"));
  ASSERT_EQ(vocabulary.tokens.size(), 260u + 256);
  EXPECT_EQ(vocabulary.types[259], TokenType::Normal);
  EXPECT_EQ(vocabulary.types[260], TokenType::Control);
  EXPECT_EQ(vocabulary.tokens[260], "<|begin_of_text|>");
  EXPECT_EQ(vocabulary.tokens[260 + 6], "<|start_header_id|>");
  EXPECT_EQ(vocabulary.tokens[260 + 9], "<|eot_id|>");
  EXPECT_EQ(vocabulary.tokens[260 + 11], "<|reserved_special_token_2|>");
  EXPECT_EQ(vocabulary.tokens[260 + 255], "<|reserved_special_token_246|>");
  EXPECT_EQ(vocabulary.bosToken, 260);
  EXPECT_TRUE(vocabulary.addBos);
  EXPECT_EQ(vocabulary.eosTokens, std::vector<int64_t>({261, 268, 269}));
}

TEST(Tiktoken, IsToldApartByItsFirstLine) {
  EXPECT_TRUE(isTiktoken("IQ== 0\nIg== 1\n"));
  EXPECT_TRUE(isTiktoken("IQ== 0\r\nIg== 1\r\n"));
  EXPECT_FALSE(isTiktoken(""));
  EXPECT_FALSE(isTiktoken("{\"version\": \"1.0\"}"));
  EXPECT_FALSE(isTiktoken("\n\x0e\n\x05<unk>"));
  EXPECT_FALSE(isTiktoken("hello world"));
}

TEST(Tiktoken, LineEndsOfEitherKindWillDo) {
  std::string text = makeFile(makeTokens());
  auto plain = llvm::cantFail(readTiktoken(text, "t.model"));
  std::string windows;
  for (char c : text)
    windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(llvm::cantFail(readTiktoken(windows, "t.model")).tokens,
            plain.tokens);
  text.pop_back(); // no line end after the last line
  EXPECT_EQ(llvm::cantFail(readTiktoken(text, "t.model")).tokens, plain.tokens);
}

TEST(Tiktoken, SaysWhatIsWrong) {
  std::vector<std::string> tokens = makeTokens();
  EXPECT_EQ(getComplaint(""), "t.model: byte 0 has no rank");
  EXPECT_EQ(getComplaint("!!!! 0\n"),
            "t.model: line 1: expected base64 and a rank, found '!!!! 0'");
  EXPECT_EQ(getComplaint("IQ==\n"),
            "t.model: line 1: expected rank 0, found ''");
  EXPECT_EQ(getComplaint("IQ== 0\nIg== 7\n"),
            "t.model: line 2: expected rank 1, found '7'");
  EXPECT_EQ(getComplaint("IQ== 0\nIg== -1\n"),
            "t.model: line 2: expected rank 1, found '-1'");
  EXPECT_EQ(getComplaint("IQ== 0\n\nIg== 1\n").substr(0, 16),
            "t.model: line 2:");
  tokens.push_back("ab");
  EXPECT_EQ(getComplaint(makeFile(tokens)),
            "t.model: line 261: the same token as rank 256");
  tokens.back() = std::string(513, 'x');
  EXPECT_EQ(getComplaint(makeFile(tokens)),
            "t.model: line 261: token has 513 bytes, expected 1 to 512");
  tokens.erase(tokens.begin() + 7);
  tokens.pop_back();
  EXPECT_EQ(getComplaint(makeFile(tokens)), "t.model: byte 7 has no rank");
}

TEST(Tiktoken, AFileThatIsCutOffIsRefusedOrShorter) {
  std::string text = makeFile(makeTokens());
  for (size_t size = 0; size < text.size(); size += 7) {
    auto vocabulary = readTiktoken(text.substr(0, size), "t.model");
    if (vocabulary)
      EXPECT_GE(vocabulary->tokens.size(), 256u + 256);
    else
      EXPECT_EQ(llvm::toString(vocabulary.takeError()).substr(0, 9),
                "t.model: ");
  }
}

} // namespace
