//===- NullTest.cpp - Every function with NULL in each place --------------===//
//
// Calls that differ from a good one in one argument alone.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/FakeModelFixture.h"

#include <cstring>

using namespace fakemodel;
using namespace llamart::api;

namespace {

std::string take(llamart_error *error) {
  std::string message = error ? llamart_error_message(error) : "";
  if (error)
    EXPECT_EQ(llamart_error_kind(error), LLAMART_ERROR_ARGUMENT) << message;
  llamart_error_free(error);
  return message;
}

struct Null : testing::Test {
  Model model{getModelPath("fake")};
  Engine engine{model};
  Session session{engine};
  Sampler greedy = Sampler::greedy();
  std::vector<int32_t> ids = makeIds(5);
  int32_t *idsOut = nullptr;
  char *text = nullptr;
  const char *piece = nullptr;
  size_t count = 0;
  llamart_model *newModel = nullptr;
  llamart_engine *newEngine = nullptr;
  llamart_session *newSession = nullptr;
  llamart_sampler *newSampler = nullptr;
  llamart_decoder *newDecoder = nullptr;
  llamart_queue *newQueue = nullptr;
};

TEST_F(Null, ModelsAndErrors) {
  EXPECT_EQ(take(llamart_cancel_create(nullptr)), "cancel is NULL");
  EXPECT_EQ(take(llamart_model_open(nullptr, nullptr, &newModel)),
            "path is NULL");
  EXPECT_EQ(take(llamart_model_open("x", nullptr, nullptr)), "model is NULL");
  EXPECT_EQ(newModel, nullptr);
  llamart_model_abi(nullptr, nullptr);
  llamart_cancel_set(nullptr);
  llamart_cancel_clear(nullptr);
  EXPECT_EQ(llamart_cancel_is_set(nullptr), 0);
  EXPECT_EQ(llamart_error_item(nullptr), -1);
}

TEST_F(Null, Texts) {
  EXPECT_EQ(take(llamart_encode(nullptr, "x", 1, nullptr, &idsOut, &count)),
            "model is NULL");
  EXPECT_EQ(
      take(llamart_encode(model.get(), nullptr, 1, nullptr, &idsOut, &count)),
      "text is NULL");
  EXPECT_EQ(take(llamart_encode(model.get(), "x", 1, nullptr, nullptr, &count)),
            "ids is NULL");
  EXPECT_EQ(
      take(llamart_encode(model.get(), "x", 1, nullptr, &idsOut, nullptr)),
      "count is NULL");
  EXPECT_EQ(
      take(llamart_decode(nullptr, ids.data(), 5, nullptr, &text, &count)),
      "model is NULL");
  EXPECT_EQ(
      take(llamart_decode(model.get(), nullptr, 5, nullptr, &text, &count)),
      "ids is NULL");
  EXPECT_EQ(take(llamart_decode(model.get(), ids.data(), 5, nullptr, nullptr,
                                &count)),
            "text is NULL");
  EXPECT_EQ(
      take(llamart_decode(model.get(), ids.data(), 5, nullptr, &text, nullptr)),
      "bytes is NULL");
  EXPECT_EQ(take(llamart_decoder_create(nullptr, nullptr, &newDecoder)),
            "model is NULL");
  EXPECT_EQ(take(llamart_decoder_create(model.get(), nullptr, nullptr)),
            "decoder is NULL");
  EXPECT_EQ(take(llamart_decoder_push(nullptr, 1, &piece, &count)),
            "decoder is NULL");
  EXPECT_EQ(take(llamart_decoder_finish(nullptr, &piece, &count)),
            "decoder is NULL");
  EXPECT_EQ(idsOut, nullptr);
  EXPECT_EQ(text, nullptr);
}

TEST_F(Null, Chats) {
  llamart_message message = {"user", "Hi"}, noRole = {nullptr, "Hi"},
                  noContent = {"user", nullptr};
  llamart_model *m = model.get();
  EXPECT_EQ(
      take(llamart_chat_encode(nullptr, &message, 1, nullptr, &idsOut, &count)),
      "model is NULL");
  EXPECT_EQ(take(llamart_chat_encode(m, nullptr, 1, nullptr, &idsOut, &count)),
            "messages is NULL");
  EXPECT_EQ(take(llamart_chat_encode(m, &noRole, 1, nullptr, &idsOut, &count)),
            "llamart_message: role is NULL");
  EXPECT_EQ(
      take(llamart_chat_encode(m, &noContent, 1, nullptr, &idsOut, &count)),
      "llamart_message: content is NULL");
  EXPECT_EQ(take(llamart_chat_encode(m, &message, 1, nullptr, nullptr, &count)),
            "ids is NULL");
  EXPECT_EQ(
      take(llamart_chat_encode(m, &message, 1, nullptr, &idsOut, nullptr)),
      "idCount is NULL");
  EXPECT_EQ(take(llamart_chat_format(m, &message, 1, nullptr, nullptr, &count)),
            "text is NULL");
  EXPECT_EQ(take(llamart_chat_format(m, &message, 1, nullptr, &text, nullptr)),
            "bytes is NULL");
  EXPECT_EQ(
      take(llamart_chat_encode_json(m, nullptr, 0, nullptr, &idsOut, &count)),
      "json is NULL");
  EXPECT_EQ(
      take(llamart_chat_format_json(m, nullptr, 0, nullptr, &text, &count)),
      "json is NULL");
  EXPECT_EQ(take(llamart_chat_parse(nullptr, "x", 1, &text, &count)),
            "model is NULL");
  EXPECT_EQ(take(llamart_chat_parse(m, nullptr, 1, &text, &count)),
            "text is NULL");
  EXPECT_EQ(take(llamart_chat_parse(m, "x", 1, nullptr, &count)),
            "json is NULL");
  EXPECT_EQ(take(llamart_chat_parse(m, "x", 1, &text, nullptr)),
            "jsonBytes is NULL");
}

TEST_F(Null, EnginesAndSessions) {
  llamart_session *s = session.get();
  EXPECT_EQ(take(llamart_engine_create(nullptr, nullptr, &newEngine)),
            "model is NULL");
  EXPECT_EQ(take(llamart_engine_create(model.get(), nullptr, nullptr)),
            "engine is NULL");
  llamart_stats stats = LLAMART_STATS;
  EXPECT_EQ(take(llamart_engine_get_stats(nullptr, &stats)), "engine is NULL");
  EXPECT_EQ(take(llamart_engine_get_stats(engine.get(), nullptr)),
            "stats is NULL");
  EXPECT_EQ(take(llamart_session_create(nullptr, nullptr, &newSession)),
            "engine is NULL");
  EXPECT_EQ(take(llamart_session_create(engine.get(), nullptr, nullptr)),
            "session is NULL");
  EXPECT_EQ(take(llamart_session_fork(nullptr, 0, &newSession)),
            "session is NULL");
  EXPECT_EQ(take(llamart_session_fork(s, 0, nullptr)), "fork is NULL");
  EXPECT_EQ(take(llamart_session_truncate(nullptr, 0)), "session is NULL");
  EXPECT_EQ(take(llamart_session_reset(nullptr)), "session is NULL");
  EXPECT_EQ(take(llamart_session_release(nullptr)), "session is NULL");
  EXPECT_EQ(take(llamart_session_adopt(nullptr, ids.data(), 5, &count)),
            "session is NULL");
  EXPECT_EQ(take(llamart_session_adopt(s, nullptr, 5, &count)), "ids is NULL");
  EXPECT_EQ(take(llamart_session_adopt(s, ids.data(), 5, nullptr)),
            "adopted is NULL");
  EXPECT_EQ(take(llamart_eval(nullptr, nullptr, 0, nullptr)), "engine is NULL");
  EXPECT_EQ(take(llamart_eval(engine.get(), nullptr, 1, nullptr)),
            "feeds is NULL");
  llamart_feed feed = session.feed(ids);
  feed.session = nullptr;
  EXPECT_EQ(take(llamart_eval(engine.get(), &feed, 1, nullptr)),
            "llamart_feed: session is NULL");
  feed = session.feed(ids);
  feed.ids = nullptr;
  EXPECT_EQ(take(llamart_eval(engine.get(), &feed, 1, nullptr)),
            "llamart_feed: ids is NULL");
}

TEST_F(Null, WhatSessionsShow) {
  llamart_feed feed = session.feed(ids);
  feed.attention = 1;
  engine.eval({&feed, 1});
  llamart_session *s = session.get();
  llamart_logprob top[2];
  llamart_attention attention = LLAMART_ATTENTION;
  EXPECT_EQ(take(llamart_session_logprobs(nullptr, -1, 0, top, 2)),
            "session is NULL");
  EXPECT_EQ(take(llamart_session_logprobs(s, -1, 0, nullptr, 2)),
            "top is NULL");
  EXPECT_EQ(take(llamart_session_logprobs(s, -1, 0, nullptr, 0)), "");
  EXPECT_EQ(take(llamart_session_attention(nullptr, -1, 0, &attention)),
            "session is NULL");
  EXPECT_EQ(take(llamart_session_attention(s, -1, 0, nullptr)),
            "attention is NULL");
  auto write = [](void *, const void *, size_t) { return 0; };
  auto read = [](void *, void *, size_t) { return 0; };
  EXPECT_EQ(take(llamart_session_save(nullptr, write, nullptr)),
            "session is NULL");
  EXPECT_EQ(take(llamart_session_save(s, nullptr, nullptr)), "write is NULL");
  EXPECT_EQ(
      take(llamart_session_load(nullptr, nullptr, read, nullptr, &newSession)),
      "engine is NULL");
  EXPECT_EQ(take(llamart_session_load(engine.get(), nullptr, nullptr, nullptr,
                                      &newSession)),
            "read is NULL");
  EXPECT_EQ(
      take(llamart_session_load(engine.get(), nullptr, read, nullptr, nullptr)),
      "session is NULL");
  EXPECT_EQ(take(llamart_session_save_file(nullptr, "x")), "session is NULL");
  EXPECT_EQ(take(llamart_session_save_file(s, nullptr)), "path is NULL");
  EXPECT_EQ(take(llamart_session_load_file(nullptr, nullptr, "x", &newSession)),
            "engine is NULL");
  EXPECT_EQ(take(llamart_session_load_file(engine.get(), nullptr, nullptr,
                                           &newSession)),
            "path is NULL");
  EXPECT_EQ(
      take(llamart_session_load_file(engine.get(), nullptr, "x", nullptr)),
      "session is NULL");
  EXPECT_EQ(llamart_session_scores(nullptr, -1, nullptr, nullptr, nullptr),
            nullptr);
}

TEST_F(Null, Samplers) {
  int32_t id = 0;
  EXPECT_EQ(take(llamart_sampler_create(nullptr, nullptr)), "sampler is NULL");
  EXPECT_EQ(take(llamart_sampler_create_custom(nullptr, &newSampler)),
            "options is NULL");
  llamart_custom_sampler custom = LLAMART_CUSTOM_SAMPLER;
  EXPECT_EQ(take(llamart_sampler_create_custom(&custom, nullptr)),
            "sampler is NULL");
  EXPECT_EQ(take(llamart_sampler_create_custom(&custom, &newSampler)),
            "llamart_custom_sampler: choose is NULL");
  EXPECT_EQ(take(llamart_sample(nullptr, session.get(), &id)),
            "sampler is NULL");
  EXPECT_EQ(take(llamart_sample(greedy.get(), nullptr, &id)),
            "session is NULL");
  EXPECT_EQ(take(llamart_sample(greedy.get(), session.get(), nullptr)),
            "id is NULL");
  EXPECT_EQ(llamart_choice_random(nullptr, 0), 0.0);
}

TEST_F(Null, JobsAndQueues) {
  llamart_job job = LLAMART_JOB;
  EXPECT_EQ(take(llamart_generate(nullptr, &job, nullptr, 1)),
            "engine is NULL");
  EXPECT_EQ(take(llamart_generate(engine.get(), nullptr, nullptr, 1)),
            "jobs is NULL");
  EXPECT_EQ(take(llamart_generate(engine.get(), &job, nullptr, 1)),
            "llamart_job: sampler is NULL");
  job.sampler = greedy.get();
  job.prompt_count = 3;
  EXPECT_EQ(take(llamart_generate(engine.get(), &job, nullptr, 1)),
            "llamart_job: prompt is NULL");
  job.prompt = ids.data();
  job.stop_count = 1;
  EXPECT_EQ(take(llamart_generate(engine.get(), &job, nullptr, 1)),
            "llamart_job: stops is NULL");
  const char *stop = nullptr;
  job.stops = &stop;
  EXPECT_EQ(take(llamart_generate(engine.get(), &job, nullptr, 1)),
            "llamart_job: a stop is NULL");
  EXPECT_EQ(take(llamart_queue_create(nullptr, nullptr, &newQueue)),
            "engine is NULL");
  EXPECT_EQ(take(llamart_queue_create(engine.get(), nullptr, nullptr)),
            "queue is NULL");
  EXPECT_EQ(take(llamart_queue_add(nullptr, &job, nullptr)), "queue is NULL");
  Queue queue(engine);
  EXPECT_EQ(take(llamart_queue_add(queue.get(), nullptr, nullptr)),
            "job is NULL");
  EXPECT_EQ(take(llamart_queue_step(nullptr, 0, nullptr)), "queue is NULL");
  EXPECT_EQ(take(llamart_queue_run(nullptr)), "queue is NULL");
  llamart_queue_wake(nullptr);
  llamart_queue_stop(nullptr, 0);
  llamart_ticket_cancel(nullptr);
  EXPECT_EQ(llamart_ticket_wait(nullptr, -1), 0);
  EXPECT_EQ(llamart_ticket_result(nullptr), nullptr);
}

} // namespace
