//===- PrefixCacheTest.cpp - Beginnings of past sequences -----------------===//
//
// The fake model's logits are right only if every block that was found holds
// the tokens and the row flags of the sequence.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>
#include <map>
#include <random>

using namespace fakemodel;
using namespace llamart::api;

namespace {

constexpr uint64_t kBlockBytes = 2 * 2 * 2 * 64 * 4 * 4;

struct PrefixCacheTest : testing::Test {
  Model model{getModelPath("fake")};

  Engine makeEngine(uint64_t blocks, uint64_t prefixBlocks) {
    llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
    options.threads = 1;
    options.kv_bytes = blocks * kBlockBytes;
    options.prefix_bytes = prefixBlocks * kBlockBytes;
    return Engine(model, options);
  }

  static void feed(Engine &engine, Session &session,
                   std::span<const int32_t> ids,
                   int32_t source = LLAMART_FROM_PROMPT) {
    llamart_feed feed = session.feed(ids, source);
    engine.eval({&feed, 1});
  }

  /// As a server does it: what is known is taken over, the rest is fed. Returns
  /// how much was known.
  static size_t ask(Engine &engine, const std::vector<int32_t> &ids,
                    const std::string &salt = "") {
    llamart_session_options options = {sizeof(options), 0, salt.data(),
                                       salt.size()};
    Session session(engine, options);
    size_t known = session.adopt(std::span(ids).first(ids.size() - 1));
    feed(engine, session, std::span(ids).subspan(known));
    EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
    return known;
  }
};

TEST_F(PrefixCacheTest, WholeBlocksOfWhatWasFedAreFound) {
  Engine engine = makeEngine(64, 16);
  std::vector<int32_t> ids = makeIds(200);
  EXPECT_EQ(ask(engine, ids), 0u);
  EXPECT_EQ(engine.getKVUsed(), 0u);
  EXPECT_EQ(engine.getStats().kv_cached, 3 * kBlockBytes);
  EXPECT_EQ(ask(engine, ids), 192u);
  ids[130] ^= 1; // in the third block
  EXPECT_EQ(ask(engine, ids), 128u);
  ids[0] ^= 1;
  EXPECT_EQ(ask(engine, ids), 0u);
  llamart_stats stats = engine.getStats();
  EXPECT_EQ(stats.prefix_asked_tokens, 4u * 199);
  EXPECT_EQ(stats.prefix_found_tokens, 192u + 128);
}

TEST_F(PrefixCacheTest, ASessionThatAdoptedGoesOnAsIfItHadBeenFed) {
  Engine engine = makeEngine(64, 16);
  std::vector<int32_t> ids = makeIds(128);
  Session first(engine), second(engine);
  feed(engine, first, ids);
  EXPECT_EQ(second.adopt(ids), 128u);
  EXPECT_EQ(second.getLength(), 128);
  EXPECT_EQ(second.getLogits(), nullptr);
  EXPECT_TRUE(std::ranges::equal(second.getIds(), ids));
  EXPECT_EQ(engine.getKVUsed(), 2 * kBlockBytes); // shared
  std::vector<Step> steps = toSteps(ids);
  for (int32_t id : {4, 5}) {
    feed(engine, second, {&id, 1}, LLAMART_FROM_MODEL);
    steps.push_back({id, LLAMART_FROM_MODEL});
    EXPECT_EQ(getLastLogits(second), getExpectedLogits(steps));
  }
  EXPECT_EQ(getErrorOf([&] { second.adopt(ids); }),
            "a session of 130 positions cannot adopt others, expected none");
}

TEST_F(PrefixCacheTest, WhatTheModelGeneratedIsNoPrompt) { // X1
  Engine engine = makeEngine(64, 16);
  std::vector<int32_t> ids = makeIds(128);
  Session session(engine);
  feed(engine, session, std::span(ids).first(64));
  feed(engine, session, std::span(ids).subspan(64), LLAMART_FROM_MODEL);
  EXPECT_EQ(ask(engine, ids), 64u);
}

TEST_F(PrefixCacheTest, SaltsKeepTenantsApart) {
  Engine engine = makeEngine(64, 16);
  std::vector<int32_t> ids = makeIds(130);
  ask(engine, ids, "a");
  EXPECT_EQ(ask(engine, ids, "b"), 0u);
  EXPECT_EQ(ask(engine, ids), 0u);
  EXPECT_EQ(ask(engine, ids, "a"), 128u);
  EXPECT_EQ(ask(engine, ids, std::string("a\0", 2)), 0u);
}

TEST_F(PrefixCacheTest, TheSameBlockIsKeptOnce) {
  Engine engine = makeEngine(64, 16);
  std::vector<int32_t> ids = makeIds(128);
  Session first(engine), second(engine);
  feed(engine, first, ids);
  feed(engine, second, ids); // computed on its own
  EXPECT_EQ(engine.getKVUsed(), 2 * kBlockBytes);
  for (Session *session : {&first, &second}) {
    int32_t id = 9;
    feed(engine, *session, {&id, 1});
    std::vector<int32_t> all = ids;
    all.push_back(id);
    EXPECT_EQ(getLastLogits(*session), getExpectedLogits(toSteps(all)));
  }
}

TEST_F(PrefixCacheTest, TheLeastRecentlyUsedGoFirst) { // X3
  Engine engine = makeEngine(64, 4);
  std::vector<int32_t> a = makeIds(130, 1), b = makeIds(130, 2),
                       c = makeIds(130, 3);
  ask(engine, a);
  ask(engine, b);
  EXPECT_EQ(ask(engine, a), 128u); // b is older now
  ask(engine, c);
  EXPECT_EQ(engine.getStats().kv_cached, 4 * kBlockBytes);
  EXPECT_EQ(ask(engine, a), 128u);
  EXPECT_EQ(ask(engine, b), 0u);
}

TEST_F(PrefixCacheTest, ItGivesWayToSessions) { // K8
  Engine engine = makeEngine(9, 9);
  std::vector<int32_t> a = makeIds(130, 1), b = makeIds(130, 2);
  ask(engine, a);
  ask(engine, b);
  EXPECT_EQ(engine.getStats().kv_cached, 4 * kBlockBytes);
  Session large(engine);
  feed(engine, large, makeIds(6 * 64, 3));
  EXPECT_EQ(engine.getKVUsed(), 6 * kBlockBytes);
  EXPECT_EQ(ask(engine, b), 128u); // a went
  feed(engine, large, makeIds(2 * 64, 4));
  EXPECT_EQ(engine.getKVUsed(), 8 * kBlockBytes);
  large.reset();
  feed(engine, large, makeIds(512, 5));
  Session another(engine);
  feed(engine, another, makeIds(64, 6)); // all nine
  Session more(engine);
  std::vector<int32_t> one = {1};
  EXPECT_NE(getErrorOf([&] { feed(engine, more, one); }), "");
  large.reset();
  feed(engine, more, one);
}

TEST_F(PrefixCacheTest, WithoutBytesNothingIsKept) {
  Engine engine = makeEngine(64, 0);
  std::vector<int32_t> ids = makeIds(130);
  EXPECT_EQ(ask(engine, ids), 0u);
  EXPECT_EQ(ask(engine, ids), 0u);
  EXPECT_EQ(engine.getStats().kv_cached, 0u);
  EXPECT_EQ(getErrorOf([&] { makeEngine(4, 5); }),
            "prefix bytes: 40960, expected at most the 32768 bytes of the KV "
            "cache");
}

// Beginnings that are shared in all ways, more of them than the cache holds.
TEST_F(PrefixCacheTest, RandomRequestsGiveWhatTheyGiveWithoutIt) {
  Engine with = makeEngine(40, 30), without = makeEngine(40, 0);
  Sampler greedy = Sampler::greedy();
  std::mt19937 random(1);
  auto below = [&](size_t n) { return random() % n; };
  size_t found = 0;
  auto run = [&](Engine &engine, const std::vector<int32_t> &prompt,
                 const std::string &salt, std::vector<float> &logits) {
    std::vector<int32_t> ids;
    Job job;
    job.sampler = &greedy;
    job.prompt = prompt;
    job.salt = salt;
    job.maxTokens = 5;
    job.ignoreEos = true;
    job.onStep = [&](const llamart_step &step) {
      ids.push_back(step.id);
      logits.push_back(float(step.logprob.logprob));
      return true;
    };
    generate(engine, {&job, 1});
    found += size_t(job.result.cached_tokens);
    return ids;
  };
  for (int i = 0; i < 1000; ++i) {
    std::vector<int32_t> prompt;
    for (size_t part = 0; part < 1 + below(4); ++part) {
      std::vector<int32_t> ids = makeIds(64, below(3));
      prompt.insert(prompt.end(), ids.begin(), ids.end());
    }
    prompt.resize(1 + below(prompt.size()));
    std::string salt = below(4) == 0 ? "other" : "";
    std::vector<float> a, b;
    ASSERT_EQ(run(with, prompt, salt, a), run(without, prompt, salt, b));
    ASSERT_EQ(a, b);
  }
  EXPECT_GT(found, 30000u);
}

} // namespace
