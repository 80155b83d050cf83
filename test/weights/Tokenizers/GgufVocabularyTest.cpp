//===- GgufVocabularyTest.cpp - The tokenizer inside a *.gguf file --------===//
//
// Small vocabularies of both kinds, their defaults, and each thing that can be
// wrong with one. Vocabularies trained by other programs are in FormatsTest.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/GgufVocabulary.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

#include <sentencepiece_processor.h>

using namespace llamatest;
using namespace llamaweights;

namespace {

#define GGML "tokenizer.ggml."

llvm::Expected<std::optional<Vocabulary>> parse(const GgufWriter &writer) {
  auto file = readGguf(InputFile::fromMemory("x.gguf", writer.build()));
  return readGgufVocabulary(llvm::cantFail(std::move(file)));
}

std::string getComplaint(const GgufWriter &writer) {
  return getMessageAbout("x.gguf", parse(writer));
}

/// Byte-level: "Ġ" is a space, "Ċ" a line feed, "ł" the byte A0.
GgufWriter makeByteLevel(const std::string &pre = "llama-bpe") {
  GgufWriter writer;
  writer.string(GGML "model", "gpt2")
      .string(GGML "pre", pre)
      .strings(GGML "tokens",
               {"a", "b", "Ġ", "Ċ", "ł", "ab", "Ġab", "<|begin_of_text|>",
                "<|end_of_text|>", "<|eot_id|>", "Ġuser"})
      .numbers<int32_t>(GGML "token_type", 5, {1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 4})
      .strings(GGML "merges", {"a b", "Ġ ab"});
  return writer;
}

TEST(GgufVocabulary, ByteLevelTokensAreBytes) {
  GgufWriter writer = makeByteLevel();
  writer.u32(GGML "bos_token_id", 7)
      .u32(GGML "eos_token_id", 9)
      .string("tokenizer.chat_template", "{{ bos_token }}");
  auto vocabulary = llvm::cantFail(parse(writer));
  ASSERT_TRUE(vocabulary.has_value());
  EXPECT_EQ(vocabulary->kind, VocabularyKind::ByteLevelBPE);
  EXPECT_EQ(vocabulary->tokens,
            (std::vector<std::string>{"a", "b", " ", "\n", "\xa0", "ab", " ab",
                                      "<|begin_of_text|>", "<|end_of_text|>",
                                      "<|eot_id|>", "Ġuser"}));
  EXPECT_EQ(vocabulary->types[7], TokenType::Control);
  EXPECT_EQ(vocabulary->types[10], TokenType::UserDefined);
  ASSERT_EQ(vocabulary->merges.size(), 2u);
  EXPECT_EQ(vocabulary->merges[0].left, 0u);
  EXPECT_EQ(vocabulary->merges[0].right, 1u);
  EXPECT_EQ(vocabulary->merges[0].result, 5u);
  EXPECT_EQ(vocabulary->merges[1].left, 2u);
  EXPECT_EQ(vocabulary->merges[1].right, 5u);
  EXPECT_EQ(vocabulary->merges[1].result, 6u);
  EXPECT_EQ(vocabulary->bosToken, 7);
  EXPECT_EQ(vocabulary->eosTokens, (std::vector<int64_t>{9, 8}));
  EXPECT_TRUE(vocabulary->addBos);
  EXPECT_FALSE(vocabulary->addEos);
  EXPECT_EQ(vocabulary->chatTemplate, "{{ bos_token }}");
}

TEST(GgufVocabulary, KnowsPreTokenizers) {
  for (auto [name, kind, whole] :
       {std::tuple("llama-bpe", PreTokenizer::Llama3, true),
        {"llama3", PreTokenizer::Llama3, true},
        {"llama-v3", PreTokenizer::Llama3, true},
        {"gpt-2", PreTokenizer::GPT2, false},
        {"default", PreTokenizer::Default, false},
        {"dbrx", PreTokenizer::Llama3, false},
        {"qwen2", PreTokenizer::Qwen2, false},
        {"tekken", PreTokenizer::Tekken, true},
        {"deepseek-llm", PreTokenizer::DeepSeekLLM, false},
        {"smollm", PreTokenizer::SmolLM, false}}) {
    auto vocabulary = llvm::cantFail(parse(makeByteLevel(name)));
    EXPECT_EQ(vocabulary->preTokenizer, kind) << name;
    EXPECT_EQ(vocabulary->wholePieceFirst, whole) << name;
  }
  EXPECT_TRUE(
      llvm::StringRef(getComplaint(makeByteLevel("kimi-k2")))
          .starts_with("key 'tokenizer.ggml.pre': pre-tokenizer 'kimi-k2' is "
                       "not supported, expected one of 'llama-bpe', "));
}

TEST(GgufVocabulary, EveryEndOfTextCounts) {
  GgufWriter writer = makeByteLevel("gpt-2");
  writer.u32(GGML "eos_token_id", 8)
      .u32(GGML "eot_token_id", 9)
      .u32(GGML "eom_token_id", 8);
  EXPECT_EQ(llvm::cantFail(parse(writer))->eosTokens,
            (std::vector<int64_t>{8, 9}));
}

TEST(GgufVocabulary, BosAndEosAreAddedWhereTheFileSaysSo) {
  GgufWriter writer = makeByteLevel("gpt-2");
  writer.u32(GGML "bos_token_id", 7);
  EXPECT_FALSE(llvm::cantFail(parse(writer))->addBos);
  writer.boolean(GGML "add_bos_token", true)
      .boolean(GGML "add_eos_token", true)
      .u32(GGML "eos_token_id", 8);
  auto vocabulary = llvm::cantFail(parse(writer));
  EXPECT_TRUE(vocabulary->addBos);
  EXPECT_TRUE(vocabulary->addEos);
  EXPECT_EQ(getComplaint(makeByteLevel().boolean(GGML "add_bos_token", true)),
            "key 'tokenizer.ggml.add_bos_token': is true, but there is no "
            "tokenizer.ggml.bos_token_id");
  EXPECT_EQ(
      getComplaint(makeByteLevel("gpt-2").boolean(GGML "add_eos_token", true)),
      "key 'tokenizer.ggml.add_eos_token': is true, but there is no "
      "tokenizer.ggml.eos_token_id");
}

TEST(GgufVocabulary, TemplatesHaveNamesAndSeeTokens) {
  GgufWriter writer = makeByteLevel();
  writer.u32(GGML "unknown_token_id", 6)
      .u32(GGML "seperator_token_id", 0xffffffff)
      .u32(GGML "padding_token_id", 8)
      .u32(GGML "mask_token_id", 10)
      .string("tokenizer.chat_template", "{{ a }}")
      .string("tokenizer.chat_template.rag", "{{ b }}")
      .string("tokenizer.chat_template.tool_use", "{{ c }}");
  GgufWriter listed = writer, missing = writer, number = writer;
  listed.strings("tokenizer.chat_templates", {"tool_use", "rag"});
  for (const GgufWriter &file : {writer, listed}) {
    auto vocabulary = llvm::cantFail(parse(file));
    EXPECT_EQ(vocabulary->chatTemplate, "{{ a }}");
    using Texts = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(vocabulary->chatTemplates,
              (Texts{{"rag", "{{ b }}"}, {"tool_use", "{{ c }}"}}));
    EXPECT_EQ(vocabulary->specialTokens,
              (Texts{{"unk_token", "Ġab"},
                     {"pad_token", "<|end_of_text|>"},
                     {"mask_token", "Ġuser"}}));
  }
  EXPECT_EQ(
      getComplaint(missing.strings("tokenizer.chat_templates", {"tools"})),
      "key 'tokenizer.chat_templates': lists 'tools', but there is no key "
      "'tokenizer.chat_template.tools'");
  EXPECT_EQ(getComplaint(number.u32("tokenizer.chat_template.x", 5)),
            "key 'tokenizer.chat_template.x': expected a string, found 5");
  EXPECT_EQ(getComplaint(makeByteLevel().u32(GGML "padding_token_id", 11)),
            "key 'tokenizer.ggml.padding_token_id': is 11, but there are 11 "
            "tokens");
}

TEST(GgufVocabulary, RefusesBrokenByteLevelOnes) {
  auto make = [](const std::vector<std::string> &tokens,
                 const std::vector<std::string> &merges) {
    GgufWriter writer;
    writer.string(GGML "model", "gpt2")
        .string(GGML "pre", "gpt-2")
        .strings(GGML "tokens", tokens)
        .strings(GGML "merges", merges);
    return writer;
  };
  EXPECT_EQ(getComplaint(make({"a", "b", "ab"}, {"a b"})), "");
  EXPECT_EQ(getComplaint(make({"a", "a b"}, {})),
            "key 'tokenizer.ggml.tokens': token 1, 'a b', is not in the "
            "alphabet that stands for bytes");
  EXPECT_EQ(getComplaint(make({"a", "b", "a"}, {})),
            "key 'tokenizer.ggml.tokens': tokens 0 and 2 are both 'a'");
  for (const char *merge : {"a b", "ab", "a  b", "a c", "", " ", "b a"})
    EXPECT_EQ(getComplaint(make({"a", "b"}, {merge})),
              std::string("key 'tokenizer.ggml.merges': merge 0, '") + merge +
                  "', expected two tokens that together are a third, "
                  "separated by a space");
  GgufWriter writer;
  writer.string(GGML "model", "gpt2").string(GGML "pre", "gpt-2");
  EXPECT_EQ(getComplaint(writer), "key 'tokenizer.ggml.tokens': is missing");
  EXPECT_EQ(getComplaint(makeByteLevel().u32(GGML "bos_token_id", 11)),
            "key 'tokenizer.ggml.bos_token_id': is 11, but there are 11 "
            "tokens");
}

TEST(GgufVocabulary, RefusesBrokenTypes) {
  GgufWriter writer;
  writer.string(GGML "model", "gpt2")
      .string(GGML "pre", "gpt-2")
      .strings(GGML "tokens", {"a"})
      .strings(GGML "merges", {});
  GgufWriter count = writer, value = writer, kind = writer;
  EXPECT_EQ(getComplaint(count.numbers<int32_t>(GGML "token_type", 5, {1, 1})),
            "key 'tokenizer.ggml.token_type': lists 2 values, expected 1");
  EXPECT_EQ(getComplaint(value.numbers<int32_t>(GGML "token_type", 5, {7})),
            "key 'tokenizer.ggml.token_type': token 0: expected a type from 1 "
            "to 6");
  EXPECT_EQ(getComplaint(kind.numbers<float>(GGML "token_type", 6, {1})),
            "key 'tokenizer.ggml.token_type': token 0: expected a type from 1 "
            "to 6");
}

TEST(GgufVocabulary, OtherKindsAreRefusedAndNoneIsFine) {
  EXPECT_FALSE(llvm::cantFail(parse(GgufWriter())).has_value());
  EXPECT_FALSE(
      llvm::cantFail(parse(GgufWriter().string(GGML "model", "no_vocab")))
          .has_value());
  EXPECT_EQ(getComplaint(GgufWriter().string(GGML "model", "bert")),
            "key 'tokenizer.ggml.model': tokenizer 'bert' is not supported, "
            "expected 'gpt2' or 'llama'");
}

/// unk, bos, eos, the 256 bytes, then a few pieces whose scores say what merges
/// first.
GgufWriter makeSentencePiece() {
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  std::vector<int32_t> types = {2, 3, 3};
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", byte);
    tokens.push_back(text);
    types.push_back(6);
  }
  for (const char *piece : {"▁", "a", "b", "ab", "▁a", "▁ab"}) {
    tokens.push_back(piece);
    types.push_back(1);
  }
  std::vector<float> scores(tokens.size(), 0.0f);
  for (size_t i = 259; i < tokens.size(); ++i)
    scores[i] = -100.0f;
  scores[262] = -1.0f; // "ab"
  scores[264] = -2.0f; // "▁ab"
  GgufWriter writer;
  writer.string(GGML "model", "llama")
      .strings(GGML "tokens", tokens)
      .numbers<float>(GGML "scores", 6, scores)
      .numbers<int32_t>(GGML "token_type", 5, types)
      .u32(GGML "bos_token_id", 1)
      .u32(GGML "eos_token_id", 2);
  return writer;
}

TEST(GgufVocabulary, SentencePieceModelsLoadAndEncode) {
  auto vocabulary = llvm::cantFail(parse(makeSentencePiece()));
  ASSERT_TRUE(vocabulary.has_value());
  EXPECT_EQ(vocabulary->kind, VocabularyKind::SentencePiece);
  EXPECT_EQ(vocabulary->bosToken, 1);
  EXPECT_EQ(vocabulary->eosTokens, (std::vector<int64_t>{2}));
  EXPECT_TRUE(vocabulary->addBos);
  EXPECT_FALSE(vocabulary->addEos);
  EXPECT_EQ(vocabulary->tokens.size(), 265u);
  // As in llama.cpp its text is looked for, and not printed.
  EXPECT_EQ(vocabulary->types[0], TokenType::Control);
  EXPECT_EQ(vocabulary->tokens[0], "<unk>");

  sentencepiece::SentencePieceProcessor processor;
  auto status =
      processor.LoadFromSerializedProto(vocabulary->sentencePieceModel);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(processor.GetPieceSize(), 265);
  // A space is put in front; a and b join first, then the space.
  EXPECT_EQ(processor.EncodeAsIds("ab"), (std::vector<int>{264}));
  // Spaces are kept; c has no piece and falls back to its byte, 3 + 0x63.
  EXPECT_EQ(processor.EncodeAsIds("a  bc"),
            (std::vector<int>{263, 259, 259, 261, 102}));
}

TEST(GgufVocabulary, SentencePieceWithoutASpaceInFront) {
  GgufWriter writer = makeSentencePiece();
  writer.boolean(GGML "add_space_prefix", false)
      .boolean(GGML "add_bos_token", false);
  auto vocabulary = llvm::cantFail(parse(writer));
  EXPECT_FALSE(vocabulary->addBos);
  sentencepiece::SentencePieceProcessor processor;
  ASSERT_TRUE(
      processor.LoadFromSerializedProto(vocabulary->sentencePieceModel).ok());
  EXPECT_EQ(processor.EncodeAsIds("ab"), (std::vector<int>{262}));
}

TEST(GgufVocabulary, OlderFilesSayNoneWithTheLargestNumber) {
  GgufWriter writer;
  writer.string(GGML "model", "gpt2")
      .string(GGML "pre", "gpt-2")
      .strings(GGML "tokens", {"a"})
      .strings(GGML "merges", {})
      .u32(GGML "bos_token_id", 0xffffffff)
      .u32(GGML "eos_token_id", 0xffffffff);
  auto vocabulary = llvm::cantFail(parse(writer));
  EXPECT_FALSE(vocabulary->bosToken.has_value());
  EXPECT_TRUE(vocabulary->eosTokens.empty());
}

TEST(GgufVocabulary, RefusesBrokenSentencePieceOnes) {
  auto make = [](bool scores, bool types) {
    GgufWriter writer;
    writer.string(GGML "model", "llama").strings(GGML "tokens", {"<unk>", "a"});
    if (scores)
      writer.numbers<float>(GGML "scores", 6, {0, 0});
    if (types)
      writer.numbers<int32_t>(GGML "token_type", 5, {2, 1});
    return writer;
  };
  EXPECT_EQ(getComplaint(make(true, true)), "");
  EXPECT_EQ(getComplaint(make(false, true)),
            "key 'tokenizer.ggml.scores': is missing");
  EXPECT_EQ(getComplaint(make(true, false)),
            "key 'tokenizer.ggml.token_type': is missing");
  EXPECT_EQ(getComplaint(
                make(false, true).numbers<int32_t>(GGML "scores", 5, {0, 0})),
            "key 'tokenizer.ggml.scores': expected an array of f32");
  EXPECT_EQ(
      getComplaint(make(true, true)
                       .numbers<uint8_t>(GGML "precompiled_charsmap", 0, {1})),
      "key 'tokenizer.ggml.precompiled_charsmap': is not supported");
}

} // namespace
