//===- QueueTest.cpp - Jobs that come and go while others run -------------===//

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>

using namespace fakemodel;
using namespace llamart::api;

namespace {

constexpr uint64_t kBlockBytes = 2 * 2 * 2 * 64 * 4 * 4; // of the fake model

std::vector<int32_t> getExpectedIds(const std::vector<int32_t> &prompt,
                                    size_t count) {
  std::vector<Step> steps = toSteps(prompt);
  std::vector<int32_t> ids;
  while (ids.size() < count) {
    std::vector<float> logits = getExpectedLogits(steps);
    ids.push_back(int32_t(std::ranges::max_element(logits) - logits.begin()));
    steps.push_back({ids.back(), LLAMART_FROM_MODEL});
  }
  return ids;
}

/// A job of its own session, and what comes of it.
struct Request {
  std::vector<int32_t> prompt, ids;
  int64_t count;
  llamart_result result = LLAMART_RESULT;
  std::optional<Ticket> ticket;

  Request(size_t length, uint64_t seed, int64_t count)
      : prompt(makeIds(length, seed)), count(count) {}

  Job toJob(const Sampler &sampler) {
    Job job;
    job.sampler = &sampler;
    job.prompt = prompt;
    job.maxTokens = count;
    job.ignoreEos = true;
    job.onToken = [this](int32_t id) {
      ids.push_back(id);
      return true;
    };
    job.onFinish = [this](const llamart_result &end) { result = end; };
    return job;
  }
  void expectAll() const {
    EXPECT_EQ(result.finish, LLAMART_FINISH_MAX_TOKENS);
    EXPECT_EQ(ids, getExpectedIds(prompt, size_t(count)));
  }
};

struct QueueTest : testing::Test {
  Model model{getModelPath("fake")};
  Sampler greedy = Sampler::greedy();
  Engine engine = makeEngine(512);

  Engine makeEngine(uint64_t blocks, int32_t batchRows = 256) {
    llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
    options.threads = 2;
    options.batch_rows = batchRows;
    options.kv_bytes = blocks * kBlockBytes;
    options.step_ms = -1;
    return Engine(model, options);
  }

  static void finish(Queue &queue) {
    while (queue.step() > 0) {
    }
  }
};

TEST_F(QueueTest, JobsThatComeWhileOthersRunHaveTheirTextAlone) { // P4
  Queue queue(engine);
  Request first(70, 1, 20), second(200, 2, 30), third(3, 3, 5);
  first.ticket = queue.add(first.toJob(greedy));
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(queue.step(), 1u);
  second.ticket = queue.add(second.toJob(greedy));
  EXPECT_EQ(queue.step(), 2u);
  third.ticket = queue.add(third.toJob(greedy));
  EXPECT_EQ(third.ticket->getResult(), nullptr);
  EXPECT_FALSE(third.ticket->wait(0));
  finish(queue);
  for (const Request *request : {&first, &second, &third}) {
    request->expectAll();
    ASSERT_TRUE(request->ticket->wait(0));
    const llamart_result &result = *request->ticket->getResult();
    EXPECT_EQ(result.finish, LLAMART_FINISH_MAX_TOKENS);
    EXPECT_EQ(result.prompt_tokens, int64_t(request->prompt.size()));
    EXPECT_EQ(result.generated, request->count);
    EXPECT_EQ(result.error, nullptr);
    EXPECT_GT(result.prompt_ns, 0);
    EXPECT_GT(result.decode_ns, 0);
    EXPECT_GE(result.queue_ns, 0);
  }
  EXPECT_EQ(engine.getKVUsed(), 0u); // their sessions are gone
  llamart_stats stats = engine.getStats();
  EXPECT_EQ(stats.running + stats.waiting + stats.sessions, 0u);
  EXPECT_EQ(stats.prompt_tokens, 273u);
  EXPECT_EQ(stats.generated_tokens, 19u + 29 + 4);
  EXPECT_EQ(stats.rows, stats.prompt_tokens + stats.generated_tokens);
}

// Q2: half of the jobs fit.
TEST_F(QueueTest, AFullCacheSetsTheYoungestAsideAndChangesNoBit) {
  for (uint64_t blocks : {9, 12, 16}) {
    Engine small = makeEngine(blocks);
    Queue queue(small);
    std::vector<std::unique_ptr<Request>> requests;
    for (uint64_t i = 0; i < 6; ++i) { // 3 to 5 blocks each at their end
      requests.push_back(std::make_unique<Request>(40 + 20 * i, i, 150));
      requests.back()->ticket = queue.add(requests.back()->toJob(greedy));
    }
    finish(queue);
    for (const auto &request : requests)
      request->expectAll();
    llamart_stats stats = small.getStats();
    EXPECT_GT(stats.preemptions, 0u) << blocks;
    EXPECT_GT(stats.recomputed_tokens, 0u);
    EXPECT_EQ(stats.kv_used, 0u);
  }
}

TEST_F(QueueTest, ASessionOfTheApplicationCanBeSetAsideToo) {
  Engine small = makeEngine(6);
  Session young(small);
  Request a(100, 1, 200), b(100, 2, 100); // 5 and 4 blocks
  Queue queue(small);
  Job second = b.toJob(greedy);
  second.session = &young;
  queue.add(a.toJob(greedy));
  queue.add(second);
  finish(queue);
  a.expectAll();
  b.expectAll();
  EXPECT_GT(small.getStats().preemptions, 0u);
  EXPECT_EQ(young.getLength(), 199);
  // It goes on to the same bits.
  std::vector<Step> steps = toSteps(b.prompt);
  for (int32_t id : b.ids)
    steps.push_back({id, LLAMART_FROM_MODEL});
  llamart_feed feed = young.feed({&b.ids.back(), 1}, LLAMART_FROM_MODEL);
  small.eval({&feed, 1});
  EXPECT_EQ(getLastLogits(young), getExpectedLogits(steps));
}

TEST_F(QueueTest, AReleasedSessionGoesOnFromItsLogits) {
  for (bool withPrompt : {false, true}) {
    Session session(engine);
    Request request(70, 1, 20);
    Job job = request.toJob(greedy);
    job.session = &session;
    std::vector<int32_t> none, all = request.prompt;
    llamart_feed feed = session.feed(all);
    if (withPrompt)
      feed.count = 30;
    engine.eval({&feed, 1});
    session.release();
    job.prompt = withPrompt ? std::span(all).subspan(30)
                            : std::span<const int32_t>(none);
    generate(engine, {&job, 1});
    request.result = job.result;
    EXPECT_EQ(request.ids, getExpectedIds(all, 20));
  }
}

// Q4
TEST_F(QueueTest, AJobsErrorIsItsOwn) {
  Engine small = makeEngine(4);
  Queue queue(small);
  Request good(30, 1, 60), large(300, 2, 5), thrower(10, 3, 20);
  good.ticket = queue.add(good.toJob(greedy));
  large.ticket = queue.add(large.toJob(greedy)); // 5 blocks
  Job bad = thrower.toJob(greedy);
  bad.onToken = [](int32_t) -> bool { throw std::logic_error("mine"); };
  thrower.ticket = queue.add(bad);
  int thrown = 0;
  for (size_t left = 1; left > 0;) {
    try {
      left = queue.step(0);
    } catch (const std::logic_error &error) {
      EXPECT_STREQ(error.what(), "mine");
      ++thrown;
    }
  }
  EXPECT_EQ(thrown, 1);
  good.expectAll();
  EXPECT_EQ(thrower.ticket->getResult()->finish, LLAMART_FINISH_CALLBACK);
  const llamart_result &result = *large.ticket->getResult();
  EXPECT_EQ(result.finish, LLAMART_FINISH_ERROR);
  EXPECT_EQ(result.error_kind, LLAMART_ERROR_CACHE);
  EXPECT_NE(std::string(result.error).find("KV cache: all 4 blocks"),
            std::string::npos);
}

TEST_F(QueueTest, WhatIsWrongWithAJobIsSaidWhenItIsAdded) {
  Queue queue(engine);
  Request request(10, 1, 5);
  auto getError = [&](auto change) {
    Job job = request.toJob(greedy);
    change(job);
    return getErrorOf([&] { queue.add(job); });
  };
  std::vector<int32_t> wrong = {1, 264}, none, longest = makeIds(513);
  EXPECT_EQ(getError([](Job &job) { job.sampler = nullptr; }),
            "llamart_job: sampler is NULL");
  EXPECT_EQ(getError([&](Job &job) { job.prompt = wrong; }),
            "token 1: id 264, expected 0 to 263");
  EXPECT_EQ(getError([&](Job &job) { job.prompt = none; }),
            "the prompt is empty: no token to feed");
  EXPECT_EQ(getError([&](Job &job) { job.prompt = longest; }),
            "a prompt of 513 tokens is longer than the model's context of 512");
  EXPECT_EQ(getError([&](Job &job) { job.topLogprobs = -1; }),
            "llamart_job: top_logprobs is -1, expected at least 0");
  Session session(engine);
  EXPECT_EQ(getError([&](Job &job) { job.session = &session; }), "");
  EXPECT_EQ(getError([&](Job &job) { job.session = &session; }),
            "the session is in another job");
  Engine another = makeEngine(8);
  Session stranger(another);
  EXPECT_EQ(getError([&](Job &job) { job.session = &stranger; }),
            "a session of another engine");
  finish(queue);
  EXPECT_EQ(getError([&](Job &job) { job.session = &session; }), "");
  finish(queue);
}

TEST_F(QueueTest, NoMoreWaitThanMay) {
  llamart_queue_options options = LLAMART_QUEUE_OPTIONS;
  options.running = 2;
  options.waiting = 3;
  Queue queue(engine, options);
  Request request(10, 1, 50);
  request.ids.reserve(10000);
  for (int i = 0; i < 3; ++i)
    queue.add(request.toJob(greedy));
  EXPECT_EQ(getErrorOf([&] { queue.add(request.toJob(greedy)); }),
            "the queue is full: 3 jobs wait, expected fewer than 3");
  EXPECT_EQ(queue.step(), 3u); // two run now
  EXPECT_EQ(engine.getStats().running, 2u);
  EXPECT_EQ(engine.getStats().waiting, 1u);
  queue.add(request.toJob(greedy));
  queue.add(request.toJob(greedy));
  EXPECT_THROW(queue.add(request.toJob(greedy)), Error);
  queue.stop(/*drain=*/false);
  finish(queue);
}

//===----------------------------------------------------------------------===//
// Ends
//===----------------------------------------------------------------------===//

TEST_F(QueueTest, AJobThatIsCancelledHasNoRowsAnyMore) {
  Queue queue(engine);
  Request first(10, 1, 100), second(10, 2, 100);
  std::stop_source stop;
  first.ticket = queue.add(first.toJob(greedy));
  Job job = second.toJob(greedy);
  job.stop = stop.get_token();
  second.ticket = queue.add(job);
  for (int i = 0; i < 4; ++i)
    queue.step();
  first.ticket->cancel();
  Calls &calls = resetCalls();
  EXPECT_EQ(queue.step(), 1u);
  EXPECT_EQ(calls.rows[0], 1);
  EXPECT_EQ(first.ids.size(), 4u);
  EXPECT_EQ(first.ticket->getResult()->finish, LLAMART_FINISH_CANCELLED);
  EXPECT_EQ(first.ticket->getResult()->generated, 4);
  EXPECT_EQ(first.ticket->getResult()->error, nullptr);
  stop.request_stop();
  calls = Calls();
  EXPECT_EQ(queue.step(), 0u);
  EXPECT_EQ(calls.count, 0);
  EXPECT_EQ(second.result.finish, LLAMART_FINISH_CANCELLED);
}

TEST_F(QueueTest, AWaitingJobCanBeCancelled) {
  llamart_queue_options options = LLAMART_QUEUE_OPTIONS;
  options.running = 1;
  Queue queue(engine, options);
  Request first(10, 1, 5), second(10, 2, 5);
  first.ticket = queue.add(first.toJob(greedy));
  second.ticket = queue.add(second.toJob(greedy));
  queue.step();
  second.ticket->cancel();
  EXPECT_EQ(queue.step(), 1u);
  EXPECT_EQ(second.result.finish, LLAMART_FINISH_CANCELLED);
  finish(queue);
  first.expectAll();
}

TEST_F(QueueTest, StoppedItDrainsOrNot) {
  for (bool drain : {true, false}) {
    Queue queue(engine);
    Request request(10, 1, 20);
    queue.add(request.toJob(greedy));
    queue.step();
    queue.stop(drain);
    EXPECT_EQ(getErrorOf([&] { queue.add(request.toJob(greedy)); }),
              "the queue was stopped");
    queue.run();
    if (drain)
      request.expectAll();
    else
      EXPECT_EQ(request.result.finish, LLAMART_FINISH_CANCELLED);
  }
}

TEST_F(QueueTest, ClosedItCancelsWhatIsLeft) {
  Request first(10, 1, 20), second(10, 1, 20);
  {
    Queue queue(engine);
    first.ticket = queue.add(first.toJob(greedy));
    queue.step();
    second.ticket = queue.add(second.toJob(greedy));
  }
  for (const Request *request : {&first, &second}) {
    EXPECT_EQ(request->result.finish, LLAMART_FINISH_CANCELLED);
    EXPECT_TRUE(request->ticket->wait());
  }
}

//===----------------------------------------------------------------------===//
// Threads and callbacks
//===----------------------------------------------------------------------===//

TEST_F(QueueTest, AnyThreadAddsWhileOneRuns) {
  Queue queue(engine);
  std::thread runner([&] { queue.run(); });
  std::vector<std::unique_ptr<Request>> requests;
  for (uint64_t i = 0; i < 16; ++i)
    requests.push_back(std::make_unique<Request>(5 + i * 11, i, 10 + i));
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (size_t i = t; i < requests.size(); i += 4)
        requests[i]->ticket = queue.add(requests[i]->toJob(greedy));
      for (size_t i = t; i < requests.size(); i += 4)
        EXPECT_TRUE(requests[i]->ticket->wait());
    });
  for (std::thread &thread : threads)
    thread.join();
  queue.stop(/*drain=*/true);
  runner.join();
  for (const auto &request : requests)
    request->expectAll();
}

TEST_F(QueueTest, AStepWaitsAndIsWoken) {
  Queue queue(engine);
  EXPECT_EQ(queue.step(0), 0u);
  EXPECT_EQ(queue.step(10), 0u);
  std::atomic<bool> returned = false;
  std::thread waiter([&] {
    EXPECT_EQ(queue.step(-1), 0u);
    returned = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(returned);
  EXPECT_EQ(getErrorOf([&] {
              while (!returned)
                queue.step(0); // never while the other one is there
            }),
            "the queue is stepped by another thread");
  queue.wake();
  waiter.join();
}

// I8
TEST_F(QueueTest, CallbacksMayAddAndMayNotStep) {
  Session session(engine);
  Queue queue(engine);
  Request request(10, 1, 3), later(10, 2, 3);
  Job job = request.toJob(greedy);
  job.session = &session;
  job.onToken = [&](int32_t id) {
    request.ids.push_back(id);
    if (request.ids.size() > 1)
      return true;
    later.ticket = queue.add(later.toJob(greedy));
    EXPECT_EQ(getErrorOf([&] { queue.step(0); }),
              "the queue is stepped by a callback of its own");
    EXPECT_EQ(getErrorOf([&] { session.truncate(3); }),
              "session: a job has it");
    std::vector<int32_t> ids = {1};
    llamart_feed feed = session.feed(ids);
    EXPECT_EQ(getErrorOf([&] { engine.eval({&feed, 1}); }),
              "llamart_feed: session: a job has it");
    EXPECT_EQ(session.getLength(), 10);
    EXPECT_EQ(getLastLogits(session),
              getExpectedLogits(toSteps(request.prompt)));
    EXPECT_EQ(session.getLogprob(id).rank, 0);
    EXPECT_EQ(session.fork(1).getLength(), 10);
    return true;
  };
  queue.add(job);
  finish(queue);
  request.expectAll();
  later.expectAll();
  session.truncate(3); // it is free again
}

TEST_F(QueueTest, APromptsTokensAreShownWithTheirProbabilities) {
  for (int32_t batchRows : {3, 256}) {
    Engine small = makeEngine(64, batchRows);
    Request request(20, 4, 0);
    std::vector<int64_t> positions;
    double sum = 0.0;
    Job job = request.toJob(greedy);
    job.topLogprobs = 2;
    job.onPromptStep = [&](const llamart_step &step) {
      positions.push_back(step.position);
      std::vector<int32_t> before(request.prompt.begin(),
                                  request.prompt.begin() + step.position);
      std::vector<float> logits = getExpectedLogits(toSteps(before));
      double total = 0.0;
      for (float logit : logits)
        total += std::exp(double(logit));
      EXPECT_EQ(step.id, request.prompt[step.position]);
      EXPECT_NEAR(step.logprob.logprob, logits[step.id] - std::log(total),
                  1e-9);
      EXPECT_EQ(step.top_count, 2u);
      EXPECT_EQ(step.top[0].rank, 0);
      EXPECT_EQ(step.top[0].id,
                std::ranges::max_element(logits) - logits.begin());
      EXPECT_GE(step.top[0].logprob, step.top[1].logprob);
      EXPECT_STREQ(step.state, "");
      sum += step.logprob.logprob;
      return true;
    };
    generate(small, {&job, 1});
    std::vector<int64_t> expected(19);
    std::iota(expected.begin(), expected.end(), 1);
    EXPECT_EQ(positions, expected);
    EXPECT_LT(sum, 0.0);
  }
}

TEST_F(QueueTest, AStreamGivesThePiecesAndEndsWhenItIsLeft) {
  std::vector<int32_t> prompt = makeIds(10, 3);
  std::string whole = model.decode(getExpectedIds(prompt, 20)), text;
  Job job;
  job.sampler = &greedy;
  job.prompt = prompt;
  job.maxTokens = 20;
  job.ignoreEos = true;
  Stream stream(engine, job);
  for (std::string_view piece : stream)
    text += piece;
  EXPECT_EQ(text, whole);
  EXPECT_EQ(stream.getResult()->generated, 20);
  std::stop_source stop;
  job.maxTokens = -1;
  job.stop = stop.get_token();
  {
    Stream left(engine, job);
    for (std::string_view piece : left)
      if (!piece.empty())
        break;
  }
  EXPECT_EQ(engine.getStats().sessions, 0u);
  Stream stopped(engine, job);
  text.clear();
  for (std::string_view piece : stopped) {
    text += piece;
    stop.request_stop();
  }
  EXPECT_EQ(stopped.getResult()->finish, LLAMART_FINISH_CANCELLED);
}

} // namespace
