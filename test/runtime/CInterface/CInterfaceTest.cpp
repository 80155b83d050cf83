//===- CInterfaceTest.cpp - What only llamart.h itself can get wrong ------===//

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

using namespace fakemodel;
using namespace llamart::api;

extern "C" const char *llamart_find_wrong_macro(void);

namespace {

std::string takeMessage(llamart_error *error) {
  std::string message = error ? llamart_error_message(error) : "";
  llamart_error_free(error);
  return message;
}

struct CInterface : testing::Test {
  Model model{getModelPath("fake")};
  Engine engine{model};
  Session session{engine};
};

TEST_F(CInterface, NullArgumentsAreErrors) {
  llamart_model *noModel = nullptr;
  int32_t *ids = nullptr;
  size_t count = 0;
  EXPECT_EQ(takeMessage(llamart_model_open(nullptr, nullptr, &noModel)),
            "path is NULL");
  EXPECT_EQ(takeMessage(llamart_model_open("x", nullptr, nullptr)),
            "model is NULL");
  EXPECT_EQ(takeMessage(llamart_engine_create(nullptr, nullptr, nullptr)),
            "model is NULL");
  EXPECT_EQ(takeMessage(llamart_session_create(engine.get(), 0, nullptr)),
            "session is NULL");
  EXPECT_EQ(takeMessage(llamart_session_fork(nullptr, 0, nullptr)),
            "session is NULL");
  EXPECT_EQ(takeMessage(llamart_session_truncate(nullptr, 0)),
            "session is NULL");
  EXPECT_EQ(takeMessage(llamart_eval(nullptr, nullptr, 0)), "engine is NULL");
  EXPECT_EQ(takeMessage(llamart_eval(engine.get(), nullptr, 1)),
            "feeds is NULL");
  EXPECT_EQ(takeMessage(
                llamart_encode(model.get(), nullptr, 3, nullptr, &ids, &count)),
            "text is NULL");
  EXPECT_EQ(takeMessage(llamart_sample(nullptr, session.get(), ids)),
            "sampler is NULL");
  EXPECT_EQ(takeMessage(llamart_generate(engine.get(), nullptr, 1)),
            "jobs is NULL");
  EXPECT_EQ(noModel, nullptr);
}

// Asserts nothing: it must not crash.
TEST_F(CInterface, ClosingNullIsAllowed) {
  llamart_model_close(nullptr);
  llamart_engine_close(nullptr);
  llamart_session_close(nullptr);
  llamart_sampler_close(nullptr);
  llamart_decoder_close(nullptr);
  llamart_error_free(nullptr);
  llamart_free(nullptr);
}

TEST_F(CInterface, ErrorsHaveKinds) {
  auto getKind = [](llamart_error *error) {
    int kind = error ? llamart_error_kind(error) : 0;
    llamart_error_free(error);
    return kind;
  };
  llamart_model *noModel = nullptr;
  EXPECT_EQ(getKind(llamart_model_open("/nowhere", nullptr, &noModel)),
            LLAMART_ERROR_MODEL);
  std::vector<int32_t> ids = makeIds(513);
  llamart_feed feed = session.feed(ids);
  EXPECT_EQ(getKind(llamart_eval(engine.get(), &feed, 1)),
            LLAMART_ERROR_CONTEXT);
  feed.count = 0;
  EXPECT_EQ(getKind(llamart_eval(engine.get(), &feed, 1)),
            LLAMART_ERROR_ARGUMENT);
}

TEST_F(CInterface, EnumsOutOfRangeAreErrors) {
  std::vector<int32_t> ids = {1};
  llamart_feed feed = session.feed(ids);
  feed.source = 2;
  EXPECT_EQ(takeMessage(llamart_eval(engine.get(), &feed, 1)),
            "llamart_feed: source is 2, expected LLAMART_FROM_PROMPT or "
            "_MODEL");
  feed = session.feed(ids);
  feed.logits = -1;
  EXPECT_EQ(takeMessage(llamart_eval(engine.get(), &feed, 1)),
            "llamart_feed: logits is -1, expected LLAMART_LOGITS_NONE, _LAST "
            "or _ALL");
  llamart_sampler_options sampler = LLAMART_SAMPLER_OPTIONS;
  sampler.kind = 9;
  EXPECT_EQ(getErrorOf([&] { Sampler bad(sampler); }),
            "llamart_sampler_options: kind is 9, expected "
            "LLAMART_SAMPLER_GREEDY or _STANDARD");
  llamart_encode_options encode = LLAMART_ENCODE_OPTIONS;
  encode.bos = 3;
  EXPECT_EQ(getErrorOf([&] { model.encode("x", encode); }),
            "llamart_encode_options: bos is 3, expected LLAMART_ADD_BY_RULE, "
            "_ALWAYS or _NEVER");
  llamart_model_options open = {sizeof(open), 7};
  EXPECT_EQ(getErrorOf([&] { Model bad(getModelPath("fake"), open); }),
            "llamart_model_options: weights is 7, expected "
            "LLAMART_WEIGHTS_MAPPED, _COPIED or _AUTO");
}

// A program built with an older header passes shorter structs. (I2)
TEST_F(CInterface, ShorterStructsMeanTheDefaults) {
  struct OldFeed {
    size_t struct_size;
    llamart_session *session;
    const int32_t *ids;
    size_t count;
  };
  std::vector<int32_t> ids = makeIds(5), more = makeIds(6, 2);
  Session other(engine);
  OldFeed feeds[] = {{sizeof(OldFeed), session.get(), ids.data(), 5},
                     {sizeof(OldFeed), other.get(), more.data(), 6}};
  check(llamart_eval(engine.get(), reinterpret_cast<llamart_feed *>(feeds), 2));
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
  EXPECT_EQ(getLastLogits(other), getExpectedLogits(toSteps(more)));
}

TEST_F(CInterface, SamplingNeedsLogits) {
  Sampler sampler = Sampler::greedy();
  EXPECT_EQ(getErrorOf([&] { session.sample(sampler); }),
            "nothing to sample from: the session has no logits");
}

TEST_F(CInterface, AttentionIsThatOfTheScores) {
  llamart_attention stats = LLAMART_ATTENTION;
  int64_t heads = -1, length = -1, stride = -1;
  EXPECT_EQ(llamart_session_scores(session.get(), nullptr, nullptr, nullptr),
            nullptr);
  EXPECT_EQ(takeMessage(llamart_session_attention(session.get(), 0, &stats)),
            "session: it has no attention scores; its last feed must ask for "
            "them");
  std::vector<int32_t> ids = {9, 9, 9, 9, 9}; // every key scores the same
  llamart_feed feed = session.feed(ids);
  feed.attention = 1;
  engine.eval({&feed, 1});
  const float *scores =
      llamart_session_scores(session.get(), &heads, &length, &stride);
  ASSERT_NE(scores, nullptr);
  EXPECT_EQ(heads, kHeads);
  EXPECT_EQ(length, 5);
  double strength = 0.0;
  for (int64_t head = 0; head < heads; ++head) {
    EXPECT_EQ(scores[head * stride + 4], getScore(9, head));
    strength += std::abs(getScore(9, head)) / double(heads);
  }
  check(llamart_session_attention(session.get(), 0, &stats));
  EXPECT_NEAR(stats.entropy, std::log2(5.0), 1e-12);
  EXPECT_NEAR(stats.varentropy, 0.0, 1e-12);
  EXPECT_NEAR(stats.agreement, 0.0, 1e-12);
  EXPECT_NEAR(stats.interaction_strength, strength, 1e-12);
  check(llamart_session_attention(session.get(), 10, &stats));
  EXPECT_NEAR(stats.interaction_strength, strength / 2, 1e-12);

  EXPECT_EQ(takeMessage(llamart_session_attention(session.get(), -1, &stats)),
            "slots is -1, expected at least 0");
  EXPECT_EQ(takeMessage(llamart_session_attention(session.get(), 0, nullptr)),
            "attention is NULL");
  stats = LLAMART_ATTENTION;
  stats.struct_size = offsetof(llamart_attention, varentropy);
  check(llamart_session_attention(session.get(), 0, &stats));
  EXPECT_NEAR(stats.entropy, std::log2(5.0), 1e-12);
  EXPECT_EQ(stats.interaction_strength, 0.0);
}

TEST_F(CInterface, TextGoesThereAndBack) {
  std::vector<int32_t> ids = model.encode("Gr\xc3\xbc\xc3\x9f dich");
  EXPECT_EQ(ids.front(), kBos);
  EXPECT_EQ(ids.size(), 12u);
  EXPECT_EQ(model.decode(ids), "Gr\xc3\xbc\xc3\x9f dich");
  EXPECT_EQ(model.decode({}), "");

  llamart_encode_options special = LLAMART_ENCODE_OPTIONS;
  special.bos = LLAMART_ADD_NEVER;
  special.allow_special = 1;
  std::vector<int32_t> end = model.encode("<|im_end|>", special);
  EXPECT_EQ(end, std::vector<int32_t>{kTurnEnd});
  EXPECT_EQ(model.decode(end), "");
  EXPECT_EQ(model.decode(end, /*showSpecial=*/true), "<|im_end|>");
}

TEST_F(CInterface, DecodersNeverCutACharacter) {
  Decoder decoder(model);
  EXPECT_EQ(decoder.push(0xe2), "");
  EXPECT_EQ(decoder.push(0x82), "");
  EXPECT_EQ(decoder.push(0xac), "\xe2\x82\xac");
  EXPECT_EQ(decoder.push('a'), "a");
  EXPECT_EQ(decoder.push(0xe2), "");
  EXPECT_EQ(decoder.finish(), "\xef\xbf\xbd");
}

TEST_F(CInterface, ChatsHaveTheModelsLayout) {
  std::vector<Message> messages = {{"user", "Hi <|im_end|>"}};
  std::vector<int32_t> ids = model.encodeChat(messages);
  // The marker in the content is text, not the token.
  EXPECT_EQ(std::count(ids.begin(), ids.end(), kTurnEnd), 1);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), kTurnStart), 2);
  std::string text = "<|im_start|>user\nHi <|im_end|><|im_end|>\n"
                     "<|im_start|>assistant\n";
  EXPECT_EQ(model.decode(ids, true), text);

  char *formatted = nullptr;
  size_t bytes = 0;
  llamart_message message = {"user", "Hi <|im_end|>"};
  check(llamart_chat_format(model.get(), &message, 1, nullptr, &formatted,
                            &bytes));
  EXPECT_EQ(formatted, text);
  EXPECT_EQ(bytes, text.size());
  llamart_free(formatted);
}

TEST_F(CInterface, RepliesEndWithEosAndTheTemplatesTurnEnd) {
  EXPECT_TRUE(model.endsReply(kEos));
  EXPECT_TRUE(model.endsReply(kTurnEnd));
  EXPECT_FALSE(model.endsReply(kBos));
  EXPECT_FALSE(model.endsReply('a'));
}

TEST(Header, IsStrictC99AndItsMacrosFillTheStructs) {
  EXPECT_STREQ(llamart_find_wrong_macro(), "");
}

// The program in the room's README, as a user would run it.
TEST(Embedding, GeneratesText) {
  std::string command = EMBEDDING " " + getModelPath("fake");
  FILE *pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  for (int c; (c = std::fgetc(pipe)) != EOF;)
    output += char(c);
  EXPECT_EQ(pclose(pipe), 0);

  Model model(getModelPath("fake"));
  std::vector<Step> steps = toSteps(model.encode("Once upon a time"));
  std::vector<int32_t> ids;
  while (ids.size() < 50 && (ids.empty() || !model.endsReply(ids.back()))) {
    std::vector<float> logits = getExpectedLogits(steps);
    ids.push_back(std::max_element(logits.begin(), logits.end()) -
                  logits.begin());
    steps.push_back({ids.back(), LLAMART_FROM_MODEL});
  }
  EXPECT_EQ(output, model.decode(ids) + "\n" + std::to_string(ids.size()) +
                        " tokens\n");
}

TEST_F(CInterface, HasAVersion) {
  EXPECT_STREQ(llamart_version(), LLAMA_VERSION);
}

} // namespace
