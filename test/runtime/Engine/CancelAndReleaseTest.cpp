//===- CancelAndReleaseTest.cpp - Work and memory given up -----------------===//
//
// Against the fake model, as EngineTest.cpp.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Engine/EngineFixture.h"

#include <algorithm>
#include <atomic>
#include <thread>

using namespace fakemodel;
using namespace llamart::api;

namespace {

//===----------------------------------------------------------------------===//
// Cancelling
//===----------------------------------------------------------------------===//

/// Sets a flag when so many tasks have been run.
struct CancellingThreads {
  std::stop_source stop;
  int calls = 0, at = 1;
  Engine makeEngine(const Model &model, int32_t batchRows) {
    return Engine(
        model, 2,
        [this](int32_t threads, const std::function<void(int32_t)> &body) {
          if (++calls == at)
            stop.request_stop();
          for (int32_t i = 0; i < threads; ++i)
            body(i);
        },
        EngineTest::getOptions(2, batchRows));
  }
};

TEST_F(EngineTest, CancelledAnEvalEndsAndChangesNothing) {
  std::vector<int32_t> ids = makeIds(300);
  for (int at : {1, 2, 6}) {
    CancellingThreads threads;
    threads.at = at;
    Engine engine = threads.makeEngine(model, 50);
    Session session(engine);
    std::vector<int32_t> begin = makeIds(10, 2);
    feed(engine, session, begin);
    threads.calls = 0;
    Calls &calls = resetCalls();
    llamart_feed rest = session.feed(ids);
    try {
      engine.eval({&rest, 1}, threads.stop.get_token());
      FAIL();
    } catch (const Error &error) {
      EXPECT_EQ(error.getKind(), LLAMART_ERROR_CANCELLED);
    }
    EXPECT_EQ(calls.count, at - 1); // the last one did nothing
    EXPECT_EQ(session.getLength(), 10);
    EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(begin)));
    feed(engine, session, ids);
    EXPECT_EQ(getLastLogits(session),
              getExpectedLogits(toSteps(concat(begin, ids))));
  }
}

TEST_F(EngineTest, AFlagThatIsSetAlreadyEndsAnEvalBeforeItBegins) {
  CancelFlag flag;
  flag.set();
  EXPECT_TRUE(flag.isSet());
  Engine engine(model, getOptions());
  Session session(engine);
  std::vector<int32_t> ids = makeIds(300);
  llamart_feed rest = session.feed(ids);
  llamart_eval_options options = {sizeof(options), flag.get()};
  llamart_error *error = llamart_eval(engine.get(), &rest, 1, &options);
  EXPECT_EQ(llamart_error_kind(error), LLAMART_ERROR_CANCELLED);
  EXPECT_STREQ(llamart_error_message(error), "cancelled");
  llamart_error_free(error);
  flag.clear();
  check(llamart_eval(engine.get(), &rest, 1, &options));
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
}

//===----------------------------------------------------------------------===//
// Released caches
//===----------------------------------------------------------------------===//

// Prompts and replies take turns: their rows go through kernels of their own,
// in the order of their positions.
TEST_F(EngineTest, WhatIsReleasedIsComputedAgainToTheSameBits) {
  for (int32_t batchRows : {1, 7, 64, 256}) {
    Engine engine(model, getOptions(2, batchRows));
    Session session(engine), other(engine);
    std::vector<Step> steps;
    auto add = [&](size_t count, int32_t source) {
      std::vector<int32_t> ids = makeIds(count, steps.size());
      feed(engine, session, ids, source);
      for (int32_t id : ids)
        steps.push_back({id, source});
      EXPECT_EQ(getLastLogits(session), getExpectedLogits(steps)) << batchRows;
    };
    add(70, LLAMART_FROM_PROMPT);
    add(1, LLAMART_FROM_MODEL);
    add(2, LLAMART_FROM_MODEL);
    add(40, LLAMART_FROM_PROMPT);
    add(30, LLAMART_FROM_MODEL);
    uint64_t used = engine.getKVUsed();
    session.release();
    EXPECT_EQ(engine.getKVUsed(), 0u);
    EXPECT_EQ(session.getLength(), 143);
    EXPECT_EQ(getLastLogits(session), getExpectedLogits(steps));
    Session fork = session.fork();
    add(3, LLAMART_FROM_PROMPT);
    EXPECT_GE(engine.getKVUsed(), used);
    EXPECT_EQ(engine.getStats().recomputed_tokens, 143u);
    session.release();
    session.truncate(100);
    steps.resize(100);
    add(1, LLAMART_FROM_MODEL);
    fork.truncate(120);
    std::vector<int32_t> one = {1}, more = makeIds(90, 5);
    llamart_feed feeds[] = {fork.feed(one), other.feed(more)};
    engine.eval(feeds);
    EXPECT_EQ(getLastLogits(other), getExpectedLogits(toSteps(more)));
    EXPECT_EQ(fork.getLength(), 121);
  }
}

TEST_F(EngineTest, StatsCountWhatWasDone) {
  Engine engine(model, getOptions(2, 50));
  Session session(engine);
  feed(engine, session, makeIds(120));
  feed(engine, session, {1, 2}, LLAMART_FROM_MODEL);
  llamart_stats stats = engine.getStats();
  EXPECT_EQ(stats.struct_size, sizeof(stats));
  EXPECT_EQ(stats.forward_calls, 4u);
  EXPECT_GT(stats.forward_ns, 0u);
  EXPECT_EQ(stats.rows, 122u);
  EXPECT_EQ(stats.prompt_tokens, 120u);
  EXPECT_EQ(stats.generated_tokens, 2u);
  EXPECT_EQ(stats.kv_used, 2u * 8192);
  EXPECT_EQ(stats.kv_budget, 64u * 8192);
  EXPECT_EQ(stats.kv_cached, 0u);
  EXPECT_GT(stats.workspace_bytes, 0u);
  EXPECT_EQ(stats.copied_bytes, 0u);
  EXPECT_GT(stats.resident_bytes, 1u << 20);
  EXPECT_GE(stats.peak_resident_bytes, stats.resident_bytes);
  EXPECT_EQ(stats.sessions, 1u);
  EXPECT_EQ(stats.running + stats.waiting + stats.preemptions, 0u);
}

// I8: it would wait for itself.
TEST_F(EngineTest, AnExecutorThatCallsItsEngineIsAnErrorAndNoWait) {
  Engine *self = nullptr;
  Session *mine = nullptr;
  std::vector<std::string> errors;
  std::vector<int32_t> ids = {1, 2};
  Engine engine(model, 1,
                [&](int32_t, const std::function<void(int32_t)> &body) {
                  llamart_feed feed = mine->feed(ids);
                  errors = {getErrorOf([&] { self->eval({&feed, 1}); }),
                            getErrorOf([&] { mine->truncate(0); }),
                            getErrorOf([&] { mine->fork(); })};
                  EXPECT_GT(self->getKVBudget(), 0u);
                  EXPECT_GE(self->getStats().kv_used, 0u);
                  body(0);
                });
  Session session(engine), other(engine);
  self = &engine;
  mine = &other;
  feed(engine, session, {5});
  EXPECT_EQ(errors, std::vector<std::string>(
                        3, "the engine is called by its own executor"));
}

} // namespace
