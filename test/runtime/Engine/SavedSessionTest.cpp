//===- SavedSessionTest.cpp - A session as bytes --------------------------===//

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace fakemodel;
using namespace llamart::api;

namespace {

struct SavedSessionTest : testing::Test {
  Model model{getModelPath("fake")};
  Engine engine = makeEngine(2);

  Engine makeEngine(int32_t threads, uint64_t bytes = 1 << 24) {
    llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
    options.threads = threads;
    options.kv_bytes = bytes;
    return Engine(model, options);
  }

  static void feed(Engine &engine, Session &session, std::vector<int32_t> ids,
                   int32_t source = LLAMART_FROM_PROMPT,
                   bool attention = false) {
    llamart_feed feed = session.feed(ids, source);
    feed.attention = attention;
    engine.eval({&feed, 1});
  }

  static std::vector<std::byte> save(const Session &session) {
    std::vector<std::byte> result;
    session.save([&](std::span<const std::byte> bytes) {
      result.insert(result.end(), bytes.begin(), bytes.end());
    });
    return result;
  }
};

TEST_F(SavedSessionTest, GoesOnToTheSameBits) { // S2
  for (size_t length : {1, 63, 64, 65, 200, 500}) {
    Session session(engine, 7);
    std::vector<int32_t> ids = makeIds(length);
    std::vector<Step> steps = toSteps(ids);
    feed(engine, session, ids);
    for (int32_t id : {3, 4}) {
      feed(engine, session, {id}, LLAMART_FROM_MODEL, true);
      steps.push_back({id, LLAMART_FROM_MODEL});
    }
    Engine other = makeEngine(3);
    Session loaded = Session::load(other, save(session));
    EXPECT_EQ(loaded.getLength(), int64_t(length) + 2);
    EXPECT_TRUE(std::ranges::equal(loaded.getIds(), session.getIds()));
    EXPECT_EQ(getLastLogits(loaded), getExpectedLogits(steps));
    EXPECT_EQ(loaded.getAttention().entropy, session.getAttention().entropy);
    for (int32_t source : {LLAMART_FROM_PROMPT, LLAMART_FROM_MODEL}) {
      feed(other, loaded, {5}, source);
      steps.push_back({5, source});
      EXPECT_EQ(getLastLogits(loaded), getExpectedLogits(steps)) << length;
    }
    Session again = Session::load(other, save(loaded));
    EXPECT_EQ(getLastLogits(again), getExpectedLogits(steps));
  }
}

TEST_F(SavedSessionTest, WithoutLogitsOrCacheItIsSavedAsWell) {
  Session empty(engine), released(engine);
  EXPECT_EQ(Session::load(engine, save(empty)).getLength(), 0);
  std::vector<int32_t> ids = makeIds(150);
  feed(engine, released, ids);
  released.release();
  Session loaded = Session::load(engine, save(released));
  EXPECT_EQ(getLastLogits(loaded), getExpectedLogits(toSteps(ids)));
  feed(engine, loaded, {1});
  ids.push_back(1);
  EXPECT_EQ(getLastLogits(loaded), getExpectedLogits(toSteps(ids)));
}

TEST_F(SavedSessionTest, TheNumberIsTheSavedOneUnlessAnotherIsGiven) {
  llamart_sampler_options options = LLAMART_SAMPLER_OPTIONS;
  Sampler sampler(options);
  Session session(engine, 77);
  feed(engine, session, makeIds(10));
  std::vector<std::byte> state = save(session);
  int32_t own = session.sample(sampler), others = 0;
  EXPECT_EQ(Session::load(engine, state).sample(sampler), own);
  TemporaryFolder folder;
  std::string path = folder.getFile("state");
  session.save(path);
  for (uint64_t number = 78; number < 88; ++number) {
    llamart_session_options given = {sizeof(given), number, nullptr, 0};
    llamart_session *loaded = nullptr;
    check(
        llamart_session_load_file(engine.get(), &given, path.c_str(), &loaded));
    int32_t id = 0;
    check(llamart_sample(sampler.get(), loaded, &id));
    others += id != own;
    llamart_session_close(loaded);
  }
  EXPECT_GT(others, 5);
}

// Mirostat and the Dirichlet sampler remember; the state is the next one's.
TEST_F(SavedSessionTest, ASamplersStateGoesAlong) {
  for (const char *config : {R"({"mirostat": 2, "mirostat_tau": 3.0})",
                             R"({"sampler": "entropix-v5"})"}) {
    llamart_sampler_options options = LLAMART_SAMPLER_OPTIONS;
    options.config = config;
    Sampler sampler(options), same(options);
    Session session(engine, 5);
    feed(engine, session, makeIds(20));
    auto generate = [&](Session &from, const Sampler &by, int count) {
      std::vector<int32_t> ids;
      for (int i = 0; i < count; ++i) {
        ids.push_back(from.sample(by));
        feed(engine, from, {ids.back()}, LLAMART_FROM_MODEL);
      }
      return ids;
    };
    generate(session, sampler, 20);
    Session loaded = Session::load(engine, save(session));
    std::vector<std::byte> twice = save(loaded); // not taken up in between
    EXPECT_EQ(twice, save(session));
    std::vector<int32_t> ids = generate(session, sampler, 20);
    EXPECT_EQ(generate(loaded, same, 20), ids) << config;

    Session forNobody = Session::load(engine, twice);
    EXPECT_EQ(getErrorOf([&] { forNobody.sample(Sampler::greedy()); }),
              "the saved state is of a sampler that remembers; this one does "
              "not");
  }
}

TEST_F(SavedSessionTest, EachFlippedByteAndEachPrefixIsRefusedOrEqual) { // S4
  Session session(engine);
  feed(engine, session, makeIds(70), LLAMART_FROM_PROMPT, true);
  const std::vector<std::byte> state = save(session);
  std::vector<float> logits = getLastLogits(session);
  uint64_t used = engine.getKVUsed();
  auto load = [&](std::span<const std::byte> bytes) {
    try {
      Session loaded = Session::load(engine, bytes);
      return getLastLogits(loaded) == logits && loaded.getLength() == 70;
    } catch (const Error &error) {
      return error.getKind() == LLAMART_ERROR_STATE ||
             error.getKind() == LLAMART_ERROR_CALLBACK; // it ended
    }
  };
  std::vector<std::byte> flipped = state;
  for (size_t i = 0; i < state.size(); ++i) {
    flipped[i] ^= std::byte(1 << i % 8);
    ASSERT_TRUE(load(flipped)) << i;
    flipped[i] = state[i];
    ASSERT_TRUE(load(std::span(state).first(i))) << i;
  }
  EXPECT_EQ(engine.getKVUsed(), used);
}

TEST_F(SavedSessionTest, OfAnotherModelItIsRefused) { // S1
  Session session(engine);
  feed(engine, session, makeIds(10));
  std::vector<std::byte> state = save(session);
  Model other(getModelPath("fake-fingerprint"));
  Engine strange(other);
  EXPECT_EQ(getErrorOf([&] { Session::load(strange, state); }),
            "saved session: it is of another model than fake");
}

TEST_F(SavedSessionTest, AFileIsTheOwnersAndWhole) {
  TemporaryFolder folder;
  std::string path = folder.getFile("state");
  Session session(engine);
  feed(engine, session, makeIds(100));
  session.save(path);
  struct stat status = {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  feed(engine, session, {1});
  session.save(path); // takes the place of the first
  EXPECT_EQ(Session::load(engine, path).getLength(), 101);
  std::string folderName = path.substr(0, path.rfind('/'));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folderName), {}),
            1);
  EXPECT_EQ(truncate(path.c_str(), 1000), 0);
  EXPECT_EQ(getErrorOf([&] { Session::load(engine, path); }),
            path + ": saved session: it ends too early");
  std::ofstream(path) << "something else that is long enough to look at";
  EXPECT_EQ(getErrorOf([&] { Session::load(engine, path); }),
            path + ": saved session: it is none: it does not begin with "
                   "LLAMASES");
  EXPECT_EQ(getErrorOf([&] { session.save("/nowhere/state"); }),
            "/nowhere/state: cannot be written beside: No such file or "
            "directory");
  EXPECT_EQ(getErrorOf([&] { Session::load(engine, "/nowhere/state"); }),
            "/nowhere/state: cannot be read: No such file or directory");
}

TEST_F(SavedSessionTest, ASmallerCacheIsAnErrorThatMakesNothing) {
  Session session(engine);
  feed(engine, session, makeIds(300));
  std::vector<std::byte> state = save(session);
  Engine small = makeEngine(1, 2 * 8192);
  try {
    Session::load(small, state);
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.getKind(), LLAMART_ERROR_CACHE);
  }
  EXPECT_EQ(small.getKVUsed(), 0u);
  EXPECT_EQ(small.getStats().sessions, 0u);
}

TEST_F(SavedSessionTest, CallbacksThatFailEndIt) {
  Session session(engine);
  feed(engine, session, makeIds(10));
  auto getError = [](llamart_error *error) {
    std::string message = llamart_error_message(error);
    EXPECT_EQ(llamart_error_kind(error), LLAMART_ERROR_CALLBACK);
    llamart_error_free(error);
    return message;
  };
  EXPECT_EQ(getError(llamart_session_save(
                session.get(), [](void *, const void *, size_t) { return 28; },
                nullptr)),
            "write failed with 28");
  EXPECT_EQ(
      getError(llamart_session_save(
          session.get(), [](void *, const void *, size_t) -> int { throw 42; },
          nullptr)),
      "write threw");
  llamart_session *loaded = nullptr;
  EXPECT_EQ(
      getError(llamart_session_load(
          engine.get(), nullptr,
          [](void *, void *, size_t) -> int { throw 42; }, nullptr, &loaded)),
      "read threw");
  EXPECT_EQ(loaded, nullptr);
}

} // namespace
