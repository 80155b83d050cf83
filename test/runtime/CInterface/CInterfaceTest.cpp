//===- CInterfaceTest.cpp - What only llamart.h itself can get wrong ------===//

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

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

TEST_F(CInterface, WhatIsAskedOfNullIsNothing) {
  EXPECT_EQ(llamart_error_kind(nullptr), 0);
  EXPECT_EQ(llamart_error_message(nullptr), nullptr);
  EXPECT_EQ(llamart_model_get_info(nullptr), nullptr);
  EXPECT_EQ(llamart_model_get_weights(nullptr), LLAMART_WEIGHTS_MAPPED);
  EXPECT_EQ(llamart_model_ends_reply(nullptr, 257), 0);
  EXPECT_EQ(llamart_engine_threads(nullptr), 0);
  EXPECT_EQ(llamart_engine_kv_used(nullptr), 0u);
  EXPECT_EQ(llamart_engine_kv_budget(nullptr), 0u);
  EXPECT_EQ(llamart_session_length(nullptr), 0);
  EXPECT_EQ(llamart_session_ids(nullptr), nullptr);
  int64_t rows = -1, heads = -1, length = -1, stride = -1;
  EXPECT_EQ(llamart_session_logits(nullptr, &rows), nullptr);
  EXPECT_EQ(llamart_session_scores(nullptr, -1, &heads, &length, &stride),
            nullptr);
  EXPECT_EQ(rows, 0);
  EXPECT_EQ(heads, 0);
  EXPECT_EQ(length, 0);
  EXPECT_EQ(stride, 0);
}

TEST_F(CInterface, ErrorsSayWhichElementIsMeant) { // of an array
  std::vector<int32_t> ids = {1}, wrong = {1, 900};
  Session other(engine);
  llamart_feed feeds[] = {session.feed(ids), other.feed(wrong)};
  llamart_error *error = llamart_eval(engine.get(), feeds, 2, nullptr);
  EXPECT_EQ(llamart_error_item(error), 1);
  EXPECT_EQ(takeMessage(error), "token 1: id 900, expected 0 to 263");
  EXPECT_EQ(session.getLength(), 0);
  llamart_message messages[] = {{"user", "a"}, {"user", nullptr}};
  int32_t *out = nullptr;
  size_t count = 0;
  error = llamart_chat_encode(model.get(), messages, 2, nullptr, &out, &count);
  EXPECT_EQ(llamart_error_item(error), 1);
  llamart_error_free(error);
  Sampler greedy = Sampler::greedy();
  llamart_job jobs[] = {LLAMART_JOB, LLAMART_JOB};
  jobs[0].sampler = greedy.get();
  jobs[0].prompt = ids.data();
  jobs[0].prompt_count = 1;
  jobs[0].max_tokens = 1;
  error = llamart_generate(engine.get(), jobs, nullptr, 2);
  EXPECT_EQ(llamart_error_item(error), 1);
  EXPECT_EQ(takeMessage(error), "llamart_job: sampler is NULL");
  error = llamart_model_open("/nowhere", nullptr, nullptr);
  EXPECT_EQ(llamart_error_item(error), -1);
  llamart_error_free(error);
}

// I1: what fails leaves sessions as they were.
TEST_F(CInterface, ErrorsChangeNothing) {
  std::vector<int32_t> ids = makeIds(100), tooMany = makeIds(420, 2);
  llamart_feed feed = session.feed(ids);
  engine.eval({&feed, 1});
  uint64_t used = engine.getKVUsed();
  feed = session.feed(tooMany);
  EXPECT_THROW(engine.eval({&feed, 1}), Error);
  EXPECT_THROW(session.truncate(101), Error);
  EXPECT_EQ(session.getLength(), 100);
  EXPECT_EQ(engine.getKVUsed(), used);
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
}

// I2
TEST_F(CInterface, NullOptionsAreTheMacros) {
  llamart_encode_options encode = LLAMART_ENCODE_OPTIONS;
  int32_t *a = nullptr, *b = nullptr;
  size_t countA = 0, countB = 0;
  check(llamart_encode(model.get(), "Hi", 2, nullptr, &a, &countA));
  check(llamart_encode(model.get(), "Hi", 2, &encode, &b, &countB));
  EXPECT_EQ(std::vector<int32_t>(a, a + countA),
            std::vector<int32_t>(b, b + countB));
  llamart_free(a);
  llamart_free(b);
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  llamart_engine *made = nullptr;
  check(llamart_engine_create(model.get(), nullptr, &made));
  EXPECT_EQ(llamart_engine_threads(made), Engine(model, options).getThreads());
  EXPECT_EQ(llamart_engine_kv_budget(made),
            Engine(model, options).getKVBudget());
  llamart_engine_close(made);
}

// I3
TEST_F(CInterface, HandlesCloseInAnyOrder) {
  std::vector<int32_t> ids = makeIds(100);
  for (int first = 0; first < 5; ++first) {
    llamart_model *m = nullptr;
    llamart_engine *e = nullptr;
    llamart_session *s = nullptr;
    llamart_queue *q = nullptr;
    llamart_ticket *t = nullptr;
    Sampler greedy = Sampler::greedy();
    check(llamart_model_open(getModelPath("fake").c_str(), nullptr, &m));
    check(llamart_engine_create(m, nullptr, &e));
    check(llamart_session_create(e, nullptr, &s));
    check(llamart_queue_create(e, nullptr, &q));
    llamart_job job = LLAMART_JOB;
    job.sampler = greedy.get();
    job.prompt = ids.data();
    job.prompt_count = ids.size();
    check(llamart_queue_add(q, &job, &t));
    for (int i = 0; i < 5; ++i)
      switch ((first + i) % 5) {
      case 0:
        llamart_model_close(m);
        break;
      case 1:
        llamart_engine_close(e);
        break;
      case 2:
        llamart_session_close(s);
        break;
      case 3:
        llamart_queue_close(q);
        break;
      case 4:
        llamart_ticket_close(t);
        break;
      }
  }
}

TEST_F(CInterface, ErrorsHaveKinds) {
  auto getKind = [](llamart_error *error) {
    int kind = llamart_error_kind(error);
    llamart_error_free(error);
    return kind;
  };
  llamart_model *noModel = nullptr;
  EXPECT_EQ(getKind(llamart_model_open("/nowhere", nullptr, &noModel)),
            LLAMART_ERROR_MODEL);
  std::vector<int32_t> ids = makeIds(513);
  llamart_feed feed = session.feed(ids);
  EXPECT_EQ(getKind(llamart_eval(engine.get(), &feed, 1, nullptr)),
            LLAMART_ERROR_CONTEXT);
  feed.count = 0;
  EXPECT_EQ(getKind(llamart_eval(engine.get(), &feed, 1, nullptr)),
            LLAMART_ERROR_ARGUMENT);
}

TEST_F(CInterface, EnumsOutOfRangeAreErrors) {
  std::vector<int32_t> ids = {1};
  llamart_feed feed = session.feed(ids);
  feed.source = 2;
  EXPECT_EQ(takeMessage(llamart_eval(engine.get(), &feed, 1, nullptr)),
            "llamart_feed: source is 2, expected LLAMART_FROM_PROMPT or "
            "_MODEL");
  feed = session.feed(ids);
  feed.logits = -1;
  EXPECT_EQ(takeMessage(llamart_eval(engine.get(), &feed, 1, nullptr)),
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
  llamart_model_options open = LLAMART_MODEL_OPTIONS;
  open.weights = 7;
  EXPECT_EQ(getErrorOf([&] { Model bad(getModelPath("fake"), open); }),
            "llamart_model_options: weights is 7, expected "
            "LLAMART_WEIGHTS_MAPPED, _COPIED or _AUTO");
}

// I5: whatever it is that they throw.
TEST_F(CInterface, CallbacksThatThrowAreErrors) {
  Sampler greedy = Sampler::greedy();
  std::vector<int32_t> ids = makeIds(5);
  auto expect = [&](auto set, const std::string &message) {
    session.reset();
    llamart_job job = LLAMART_JOB;
    job.session = session.get();
    job.sampler = greedy.get();
    job.prompt = ids.data();
    job.prompt_count = ids.size();
    job.max_tokens = 3;
    job.ignore_eos = 1;
    set(job);
    llamart_error *error = llamart_generate(engine.get(), &job, nullptr, 1);
    EXPECT_EQ(llamart_error_kind(error), LLAMART_ERROR_CALLBACK);
    EXPECT_EQ(takeMessage(error), message);
  };
  expect(
      [](llamart_job &job) {
        job.on_token = [](void *, int32_t) -> int { throw 42; };
      },
      "llamart_job: on_token threw");
  expect(
      [](llamart_job &job) {
        job.on_text = [](void *, const char *, size_t) -> int {
          throw std::logic_error("mine");
        };
      },
      "llamart_job: on_text threw: mine");
  expect(
      [](llamart_job &job) {
        job.on_logits = [](void *, const float *, int64_t) -> int { throw 42; };
      },
      "llamart_job: on_logits threw");
  expect(
      [](llamart_job &job) {
        job.on_step = [](void *, const llamart_step *) -> int { throw 42; };
      },
      "llamart_job: on_step threw");
  llamart_executor executor = {
      sizeof(executor), 2, 0,
      [](void *, llamart_task, void *, int32_t) -> int { throw 42; }, nullptr};
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  options.executor = &executor;
  Engine foreign(model, options);
  Session stranger(foreign);
  llamart_feed feed = stranger.feed(ids);
  llamart_error *error = llamart_eval(foreign.get(), &feed, 1, nullptr);
  EXPECT_EQ(llamart_error_kind(error), LLAMART_ERROR_CALLBACK);
  EXPECT_EQ(takeMessage(error), "the executor threw");
  session.reset(); // and all goes on
  llamart_feed again = session.feed(ids);
  engine.eval({&again, 1});
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
}

TEST_F(CInterface, SamplingNeedsLogits) {
  Sampler sampler = Sampler::greedy();
  EXPECT_EQ(getErrorOf([&] { session.sample(sampler); }),
            "nothing to sample from: the session has no logits");
}

TEST_F(CInterface, AttentionIsThatOfTheScores) {
  llamart_attention stats = LLAMART_ATTENTION;
  int64_t heads = -1, length = -1, stride = -1;
  EXPECT_EQ(
      llamart_session_scores(session.get(), -1, nullptr, nullptr, nullptr),
      nullptr);
  EXPECT_EQ(
      takeMessage(llamart_session_attention(session.get(), -1, 0, &stats)),
      "session: it has no attention scores of row -1; its last feed must "
      "ask for them");
  std::vector<int32_t> ids = {9, 9, 9, 9, 9}; // every key scores the same
  llamart_feed feed = session.feed(ids);
  feed.attention = 1;
  engine.eval({&feed, 1});
  const float *scores =
      llamart_session_scores(session.get(), -1, &heads, &length, &stride);
  ASSERT_NE(scores, nullptr);
  EXPECT_EQ(heads, kHeads);
  EXPECT_EQ(length, 5);
  double strength = 0.0;
  for (int64_t head = 0; head < heads; ++head) {
    EXPECT_EQ(scores[head * stride + 4], getScore(9, head));
    strength += std::abs(getScore(9, head)) / double(heads);
  }
  check(llamart_session_attention(session.get(), -1, 0, &stats));
  EXPECT_NEAR(stats.entropy, std::log2(5.0), 1e-12);
  EXPECT_NEAR(stats.varentropy, 0.0, 1e-12);
  EXPECT_NEAR(stats.agreement, 0.0, 1e-12);
  EXPECT_NEAR(stats.interaction_strength, strength, 1e-12);
  check(llamart_session_attention(session.get(), -1, 10, &stats));
  EXPECT_NEAR(stats.interaction_strength, strength / 2, 1e-12);

  EXPECT_EQ(
      takeMessage(llamart_session_attention(session.get(), -1, -1, &stats)),
      "slots is -1, expected at least 0");
  EXPECT_EQ(
      takeMessage(llamart_session_attention(session.get(), -1, 0, nullptr)),
      "attention is NULL");
  stats = LLAMART_ATTENTION;
  stats.struct_size = offsetof(llamart_attention, varentropy);
  check(llamart_session_attention(session.get(), -1, 0, &stats));
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

TEST_F(CInterface, ARepliesPartsAreAMessage) {
  EXPECT_EQ(model.parseReply("Hi"), R"({"role":"assistant","content":"Hi"})");
  EXPECT_EQ(model.parseReply(R"({"name": "f", "parameters": {"a": 1}})"),
            R"({"role":"assistant","content":null,"tool_calls":[{"type":)"
            R"("function","function":{"name":"f","arguments":"{\"a\":1}"}}]})");
}

TEST_F(CInterface, ATextMayGoOnWhereAnotherEnded) {
  std::vector<int32_t> ids = {' ', 'a'};
  for (int after : {0, 1}) {
    llamart_decode_options options = LLAMART_DECODE_OPTIONS;
    options.after_text = after;
    char *text = nullptr;
    size_t bytes = 0;
    check(llamart_decode(model.get(), ids.data(), 2, &options, &text, &bytes));
    EXPECT_STREQ(text, after ? " a" : "a");
    llamart_free(text);
  }
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
  const char *json = R"([{"role": "user", "content": "Hi <|im_end|>"}])";
  EXPECT_EQ(model.formatChat(std::string_view(json)), text);
  EXPECT_EQ(model.encodeChat(std::string_view(json)), ids);
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
  EXPECT_EQ(llamart_version_number(), LLAMART_VERSION_NUMBER);
  int32_t lowest = 0, highest = 0;
  llamart_model_abi(&lowest, &highest);
  EXPECT_GE(highest, lowest);
  EXPECT_GT(lowest, 0);
}

} // namespace
