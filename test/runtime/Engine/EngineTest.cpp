//===- EngineTest.cpp - Evals, forks, chunks, budgets ---------------------===//
//
// Against the fake model: its logits are right only if every token of the
// sequence was found in the cache with its position and its row flags.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Engine/EngineFixture.h"
#include "test/runtime/ForkedProcess.h"
#include "test/runtime/ThreadCount.h"

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <dlfcn.h>
#include <thread>

using namespace fakemodel;
using namespace llamart::api;

namespace {

TEST_F(EngineTest, LogitsFollowFromTheWholeSequence) {
  Engine engine(model, getOptions());
  Session session(engine);
  std::vector<int32_t> ids = makeIds(300);
  feed(engine, session, ids);
  EXPECT_EQ(session.getLength(), 300);
  EXPECT_TRUE(std::ranges::equal(session.getIds(), ids));
  std::vector<Step> steps = toSteps(ids);
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(steps));

  // Generated tokens come without the prompt's flag.
  for (int32_t id : {5, 6, 7}) {
    feed(engine, session, {id}, LLAMART_FROM_MODEL);
    steps.push_back({id, LLAMART_FROM_MODEL});
    EXPECT_EQ(getLastLogits(session), getExpectedLogits(steps));
  }
}

TEST_F(EngineTest, LogitsOfEveryRowComeInOrder) {
  Engine engine(model, getOptions(2, 100));
  Session session(engine);
  std::vector<int32_t> ids = makeIds(250);
  feed(engine, session, ids, LLAMART_FROM_PROMPT, LLAMART_LOGITS_ALL);
  int64_t rows = 0;
  const float *logits = session.getLogits(&rows);
  ASSERT_EQ(rows, 250);
  for (int64_t row : {0, 1, 63, 64, 99, 100, 199, 200, 249}) {
    std::vector<int32_t> begin(ids.begin(), ids.begin() + row + 1);
    EXPECT_EQ(
        std::vector<float>(logits + row * kVocab, logits + (row + 1) * kVocab),
        getExpectedLogits(toSteps(begin)))
        << row;
  }
}

TEST_F(EngineTest, NoLogitsAreKeptIfNoneAreWanted) {
  Engine engine(model, getOptions());
  Session session(engine);
  feed(engine, session, {1, 2});
  feed(engine, session, {3}, LLAMART_FROM_PROMPT, LLAMART_LOGITS_NONE);
  int64_t rows = -1;
  EXPECT_EQ(session.getLogits(&rows), nullptr);
  EXPECT_EQ(rows, 0);
}

TEST_F(EngineTest, ChunksAndThreadsAndSplitsChangeNoBit) { // P4
  std::vector<int32_t> ids = makeIds(333);
  std::vector<float> expected = getExpectedLogits(toSteps(ids));
  for (int32_t threads : {1, 2, 3, 7})
    for (int32_t batchRows : {1, 7, 64, 256, 1000})
      for (size_t split : {0, 1, 64, 200}) {
        Engine engine(model, getOptions(threads, batchRows));
        Session session(engine);
        if (split)
          feed(engine, session, {ids.begin(), ids.begin() + split});
        feed(engine, session, {ids.begin() + split, ids.end()});
        ASSERT_EQ(getLastLogits(session), expected)
            << threads << " threads, " << batchRows << " rows, split " << split;
      }
}

TEST_F(EngineTest, OneCallServesAllSessions) {
  Engine engine(model, getOptions());
  Session a(engine), b(engine), c(engine);
  feed(engine, b, makeIds(70, 2));
  Calls &calls = resetCalls();

  std::vector<int32_t> forA = makeIds(90, 1), forC = makeIds(80, 3);
  std::vector<int32_t> forB = {42};
  llamart_feed feeds[] = {
      a.feed(forA), b.feed(forB, LLAMART_FROM_MODEL),
      c.feed(forC, LLAMART_FROM_PROMPT, LLAMART_LOGITS_ALL)};
  engine.eval(feeds);
  EXPECT_EQ(calls.count, 1);
  EXPECT_EQ(calls.rows[0], 90 + 1 + 80);
  EXPECT_EQ(calls.sequences[0], 3);

  std::vector<Step> stepsB = toSteps(makeIds(70, 2));
  stepsB.push_back({42, LLAMART_FROM_MODEL});
  EXPECT_EQ(getLastLogits(a), getExpectedLogits(toSteps(forA)));
  EXPECT_EQ(getLastLogits(b), getExpectedLogits(stepsB));
  EXPECT_EQ(getLastLogits(c), getExpectedLogits(toSteps(forC)));
}

TEST_F(EngineTest, CallsHaveNoMoreThanBatchRows) {
  Engine engine(model, getOptions(2, 50));
  Session a(engine), b(engine);
  Calls &calls = resetCalls();
  std::vector<int32_t> forA = makeIds(70, 1), forB = makeIds(60, 2);
  llamart_feed feeds[] = {a.feed(forA), b.feed(forB)};
  engine.eval(feeds);
  EXPECT_EQ(std::vector<int64_t>(calls.rows, calls.rows + calls.count),
            (std::vector<int64_t>{50, 50, 30}));
  EXPECT_EQ(getLastLogits(a), getExpectedLogits(toSteps(forA)));
  EXPECT_EQ(getLastLogits(b), getExpectedLogits(toSteps(forB)));
}

TEST_F(EngineTest, LogitsOfOneSessionOutliveEvalsOfAnother) {
  Engine engine(model, getOptions());
  Session a(engine), b(engine), c(engine);
  feed(engine, a, makeIds(10, 1));
  for (int i = 0; i < 5; ++i) {
    feed(engine, b, makeIds(20, 2));
    feed(engine, c, makeIds(20, 3));
  }
  EXPECT_EQ(getLastLogits(a), getExpectedLogits(toSteps(makeIds(10, 1))));
}

//===----------------------------------------------------------------------===//
// Forks
//===----------------------------------------------------------------------===//

TEST_F(EngineTest, ForksGoTheirOwnWays) {
  Engine engine(model, getOptions());
  Session trunk(engine);
  std::vector<int32_t> ids = makeIds(100);
  feed(engine, trunk, ids);
  uint64_t used = engine.getKVUsed();
  Session left = trunk.fork(1), right = trunk.fork(2);
  EXPECT_EQ(engine.getKVUsed(), used);
  EXPECT_EQ(getLastLogits(left), getLastLogits(trunk));

  std::vector<int32_t> toLeft = makeIds(40, 2), toRight = makeIds(30, 3),
                       toTrunk = makeIds(50, 4);
  llamart_feed feeds[] = {left.feed(toLeft), trunk.feed(toTrunk),
                          right.feed(toRight)};
  engine.eval(feeds);
  EXPECT_EQ(getLastLogits(left),
            getExpectedLogits(toSteps(concat(ids, toLeft))));
  EXPECT_EQ(getLastLogits(right),
            getExpectedLogits(toSteps(concat(ids, toRight))));
  EXPECT_EQ(getLastLogits(trunk),
            getExpectedLogits(toSteps(concat(ids, toTrunk))));
}

TEST_F(EngineTest, ForksOutliveTheirParent) {
  Engine engine(model, getOptions());
  std::vector<int32_t> ids = makeIds(100);
  auto parent = std::make_unique<Session>(engine);
  feed(engine, *parent, ids);
  Session child = parent->fork();
  parent.reset();
  feed(engine, child, {9});
  EXPECT_EQ(getLastLogits(child), getExpectedLogits(toSteps(concat(ids, {9}))));
}

TEST_F(EngineTest, ATruncatedSessionGoesOnFromThere) {
  Engine engine(model, getOptions());
  Session session(engine);
  std::vector<int32_t> ids = makeIds(150);
  feed(engine, session, ids);
  session.truncate(70);
  EXPECT_EQ(session.getLength(), 70);
  EXPECT_EQ(session.getLogits(), nullptr);
  feed(engine, session, makeIds(20, 5));
  EXPECT_EQ(getLastLogits(session),
            getExpectedLogits(toSteps(
                concat({ids.begin(), ids.begin() + 70}, makeIds(20, 5)))));
  session.reset();
  EXPECT_EQ(engine.getKVUsed(), 0u);
  EXPECT_EQ(getErrorOf([&] { session.truncate(1); }),
            "cannot cut a session of 0 positions to 1");
}

//===----------------------------------------------------------------------===//
// Errors leave every session what it was (K6)
//===----------------------------------------------------------------------===//

/// Evals feeds that must fail; checks that two sessions are untouched by it.
void expectUntouched(Engine &engine, Session &a, Session &b,
                     std::span<const llamart_feed> feeds,
                     const std::string &message) {
  int64_t lengthA = a.getLength(), lengthB = b.getLength();
  std::vector<float> logitsA = getLastLogits(a), logitsB = getLastLogits(b);
  uint64_t used = engine.getKVUsed();
  EXPECT_EQ(getErrorOf([&] { engine.eval(feeds); }), message);
  EXPECT_EQ(a.getLength(), lengthA);
  EXPECT_EQ(b.getLength(), lengthB);
  EXPECT_EQ(getLastLogits(a), logitsA);
  EXPECT_EQ(getLastLogits(b), logitsB);
  EXPECT_EQ(engine.getKVUsed(), used);
}

TEST_F(EngineTest, WrongFeedsAreErrors) {
  Engine engine(model, getOptions()), other(model, getOptions());
  Session a(engine), b(engine), stranger(other);
  feed(engine, a, makeIds(500, 1));
  feed(engine, b, makeIds(20, 2));
  std::vector<int32_t> good = {1}, high = {1, 2, kVocab}, low = {-1},
                       many(13, 0), none;
  auto expect = [&](const llamart_feed &bad, const std::string &message) {
    llamart_feed feeds[] = {b.feed(good), bad};
    expectUntouched(engine, a, b, feeds, message);
  };
  expect(a.feed(high), "token 2: id 264, expected 0 to 263");
  expect(a.feed(low), "token 0: id -1, expected 0 to 263");
  expect(a.feed(none), "a session is fed no tokens");
  expect(b.feed(good), "a session is fed twice in one eval");
  expect(stranger.feed(good), "a session of another engine");
  expect(a.feed(many), "a sequence of 513 tokens (13 of them new) is longer "
                       "than the model's context of 512");
  many.pop_back();
  feed(engine, a, many); // exactly full
  EXPECT_EQ(a.getLength(), 512);
}

TEST_F(EngineTest, ABudgetThatIsUsedUpIsAnError) {
  llamart_engine_options options = getOptions();
  options.kv_bytes = 5 * 8192;
  Engine engine(model, options);
  EXPECT_EQ(engine.getKVBudget(), 5u * 8192);
  Session a(engine), b(engine);
  feed(engine, a, makeIds(100, 1));
  feed(engine, b, makeIds(64, 2));
  std::vector<int32_t> some = makeIds(65, 3);
  llamart_feed feeds[] = {a.feed(some), b.feed(some)};
  expectUntouched(engine, a, b, feeds,
                  "KV cache: all 5 blocks of 8192 bytes are in use; 64 more "
                  "positions need a larger budget or fewer sequences");
  a.reset();
  feed(engine, b, some);
  EXPECT_EQ(getLastLogits(b),
            getExpectedLogits(toSteps(concat(makeIds(64, 2), some))));
}

TEST_F(EngineTest, AnExecutorThatFailsMidwayLeavesSessionsUntouched) {
  struct State {
    int calls = 0, failAt = -1;
  } state;
  llamart_executor executor = {
      sizeof(executor), 2, 0,
      [](void *user, llamart_task task, void *argument, int32_t threads) {
        auto *state = static_cast<State *>(user);
        if (state->calls++ == state->failAt)
          return 3;
        std::vector<std::thread> all;
        for (int32_t i = 0; i < threads; ++i)
          all.emplace_back(task, argument, i);
        for (std::thread &thread : all)
          thread.join();
        return 0;
      },
      &state};
  llamart_engine_options options = getOptions(0, 40);
  options.executor = &executor;
  Engine engine(model, options);
  EXPECT_EQ(engine.getThreads(), 2);
  Session a(engine), b(engine);
  feed(engine, a, makeIds(30, 1));
  feed(engine, b, makeIds(30, 2));
  b = a.fork();
  state.failAt = state.calls + 1; // the second of three forward calls
  std::vector<int32_t> more = makeIds(100, 3);
  llamart_feed feeds[] = {a.feed(more)};
  expectUntouched(engine, a, b, feeds, "the executor failed with 3");
  // What the failed call wrote is not seen afterwards.
  feed(engine, b, {7});
  feed(engine, a, more);
  EXPECT_EQ(getLastLogits(b),
            getExpectedLogits(toSteps(concat(makeIds(30, 1), {7}))));
  EXPECT_EQ(getLastLogits(a),
            getExpectedLogits(toSteps(concat(makeIds(30, 1), more))));
}

// The first does all the work, and nobody waits for the others.
TEST_F(EngineTest, AnExecutorMayRunItsThreadsOneAfterTheOther) {
  llamart_executor executor = {
      sizeof(executor), 3, 0,
      [](void *, llamart_task task, void *argument, int32_t threads) {
        for (int32_t i = threads - 1; i >= 0; --i)
          task(argument, i);
        return 0;
      },
      nullptr};
  llamart_engine_options options = getOptions(0, 40);
  options.executor = &executor;
  Engine engine(model, options);
  Session session(engine);
  std::vector<int32_t> ids = makeIds(100, 1);
  feed(engine, session, ids);
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
}

TEST(EngineOptions, OutOfRangeAreErrors) {
  Model model(getModelPath("fake"));
  auto expect = [&](auto change, const std::string &message) {
    llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
    change(options);
    EXPECT_EQ(getErrorOf([&] { Engine engine(model, options); }), message);
  };
  using Options = llamart_engine_options;
  expect([](Options &o) { o.threads = -1; },
         "threads: -1, expected at least 1, or 0 for all cores");
  expect([](Options &o) { o.batch_rows = -1; },
         "batch rows: -1, expected at least 1");
  expect([](Options &o) { o.step_ms = -2; },
         "llamart_engine_options: step_ms is -2, expected at least 1, 0 for "
         "100 or -1 for no bound");
  expect([](Options &o) { o.kv_bytes = 8191; },
         "KV cache: a budget of 8191 bytes is less than one block of 8192");
  llamart_executor executor = {sizeof(executor), 0, 0, nullptr, nullptr};
  expect([&](Options &o) { o.executor = &executor; },
         "llamart_executor: run is NULL");
}

TEST(DefaultThreads, AreOneForAModelTooSmallForMore) {
  Model model(getModelPath("fake"));
  EXPECT_EQ(Engine(model).getThreads(), 1);
}

TEST(Workspace, OfANegativeSizeIsAnError) {
  std::string path = getModelPath("fake-workspace");
  Model model(path);
  Engine engine(model);
  Session session(engine);
  std::vector<int32_t> ids = {1, 2, 3};
  llamart_feed feed = session.feed(ids);
  EXPECT_EQ(getErrorOf([&] { engine.eval({&feed, 1}); }),
            path + ": asks for -3 bytes of workspace for 3 rows");
}

//===----------------------------------------------------------------------===//
// Lifetimes and threads
//===----------------------------------------------------------------------===//

TEST(Lifetimes, HandlesMayBeClosedInAnyOrderAndLeaveNoThread) { // I3
  int64_t before = countThreads();
  auto model = std::make_unique<Model>(getModelPath("fake"));
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  options.threads = 4;
  auto engine = std::make_unique<Engine>(*model, options);
  auto session = std::make_unique<Session>(*engine);
  std::vector<int32_t> ids = makeIds(10);
  feed(*engine, *session, ids);
  EXPECT_EQ(countThreads(), before + 3);
  model.reset();
  feed(*engine, *session, ids);
  engine.reset();
  EXPECT_EQ(getLastLogits(*session),
            getExpectedLogits(toSteps(concat(ids, ids))));
  session.reset();
  EXPECT_TRUE(comesTrue([&] { return countThreads() == before; }));
  EXPECT_EQ(dlopen(getModelPath("fake").c_str(), RTLD_NOW | RTLD_NOLOAD),
            nullptr);
}

TEST_F(EngineTest, SessionsOfOneEngineMayBeUsedFromSeveralThreads) { // I4
  Engine engine(model, getOptions());
  std::vector<std::thread> users;
  std::atomic<int> right = 0;
  for (uint64_t user = 0; user < 4; ++user)
    users.emplace_back([&, user] {
      for (uint64_t round = 0; round < 10; ++round) {
        Session session(engine);
        std::vector<int32_t> ids = makeIds(70, user * 100 + round);
        feed(engine, session, ids);
        Session fork = session.fork();
        feed(engine, fork, {1});
        right +=
            getLastLogits(fork) == getExpectedLogits(toSteps(concat(ids, {1})));
      }
    });
  for (std::thread &user : users)
    user.join();
  EXPECT_EQ(right, 40);
  EXPECT_EQ(engine.getKVUsed(), 0u);
}

TEST_F(EngineTest, RoundingOfTheApplicationDoesNotReachTheModel) {
  constexpr unsigned kFlushDenormals = 0x8040; // of MXCSR: FTZ and DAZ
  unsigned before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | kFlushDenormals);
  Engine engine(model, getOptions());
  Session session(engine);
  feed(engine, session, {1, 2, 3});
  unsigned after = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before);
  EXPECT_EQ(after & kFlushDenormals, kFlushDenormals); // left as it was
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps({1, 2, 3})));
}

TEST_F(EngineTest, ForkedProcessIsToldThatThreadsStayedBehind) {
  Engine engine(model, getOptions(2));
  Session session(engine);
  feed(engine, session, makeIds(10));
  EXPECT_EQ(runForked([&] {
              try {
                feed(engine, session, {1});
                return 1;
              } catch (const Error &error) {
                if (error.getKind() != LLAMART_ERROR_SYSTEM)
                  return 2;
              }
              if (session.getLength() != 10) // I1
                return 3;
              Engine own(model, getOptions(2));
              Session fresh(own);
              feed(own, fresh, makeIds(10));
              return getLastLogits(fresh) == getLastLogits(session) ? 0 : 4;
            }),
            0);
  feed(engine, session, {1}); // the parent goes on
}

TEST_F(EngineTest, OneThreadGoesOnInAForkedProcess) {
  Engine engine(model, getOptions(1));
  Session session(engine);
  std::vector<int32_t> ids = makeIds(100);
  feed(engine, session, ids);
  EXPECT_EQ(runForked([&] {
              feed(engine, session, {5});
              auto expected = getExpectedLogits(toSteps(concat(ids, {5})));
              return getLastLogits(session) == expected ? 0 : 1;
            }),
            0);
}

// While another thread evaluates, its lock is held: in the child for ever.
TEST_F(EngineTest, ForkedProcessDoesNotWaitForWhoIsNotThere) {
  Engine engine(model, getOptions(1));
  std::atomic<bool> ends = false;
  std::thread busy([&] {
    Session session(engine);
    while (!ends) {
      feed(engine, session, makeIds(400));
      session.truncate(0);
    }
  });
  Session session(engine);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(runForked([&] {
                try {
                  feed(engine, session, {5});
                } catch (const Error &error) {
                  return error.getKind() == LLAMART_ERROR_SYSTEM ? 0 : 1;
                }
                return 0;
              }),
              0);
  ends = true;
  busy.join();
}

} // namespace
