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
  EXPECT_EQ(llamart_session_scores(nullptr, &heads, &length, &stride), nullptr);
  EXPECT_EQ(rows, 0);
  EXPECT_EQ(heads, 0);
  EXPECT_EQ(length, 0);
  EXPECT_EQ(stride, 0);
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

// Jobs of a caller that knows no on_step, at the end of what may be read.
TEST_F(CInterface, NothingBehindShorterJobsIsTouched) {
  constexpr size_t kSize = offsetof(llamart_job, on_step), kJobs = 2;
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void *memory = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  char *end = static_cast<char *>(memory) + page;
  ASSERT_EQ(mprotect(end, page, PROT_NONE), 0);
  Sampler greedy = Sampler::greedy();
  Session other(engine);
  std::vector<int32_t> ids = makeIds(5);
  char *jobs = end - kJobs * kSize;
  for (size_t i = 0; i < kJobs; ++i) {
    llamart_job job = LLAMART_JOB;
    job.struct_size = kSize;
    job.session = i == 0 ? session.get() : other.get();
    job.sampler = greedy.get();
    job.prompt = ids.data();
    job.prompt_count = ids.size();
    job.max_tokens = 3;
    job.ignore_eos = 1;
    std::memcpy(jobs + i * kSize, &job, kSize);
  }
  check(llamart_generate(engine.get(), reinterpret_cast<llamart_job *>(jobs),
                         kJobs));
  for (size_t i = 0; i < kJobs; ++i) {
    int64_t generated = 0;
    std::memcpy(&generated, jobs + i * kSize + offsetof(llamart_job, generated),
                sizeof(generated));
    EXPECT_EQ(generated, 3);
  }
  munmap(memory, 2 * page);
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
    llamart_error *error = llamart_generate(engine.get(), &job, 1);
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
      sizeof(executor), 2,
      [](void *, llamart_task, void *, int32_t) -> int { throw 42; }, nullptr};
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  options.executor = &executor;
  Engine foreign(model, options);
  Session stranger(foreign);
  llamart_feed feed = stranger.feed(ids);
  llamart_error *error = llamart_eval(foreign.get(), &feed, 1);
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
