//===- CacheModelTest.cpp - The cache against a list of tokens ------------===//
//
// Random operations of four threads on the sessions of two models, each session
// beside a plain list of what was fed: its length, its ids and the bits of its
// logits follow from that list alone, whatever the cache did. What fails changes
// nothing; when all is closed, nothing is left.
//
// LLAMA_SOAK_OPERATIONS sets how many there are in all; ./dev soak cache runs
// more of them under sanitizers.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <thread>

using namespace fakemodel;
using namespace llamart::api;

namespace {

constexpr uint64_t kBlockBytes = 2 * 2 * 2 * 64 * 4 * 4;
constexpr int kThreads = 4;

int countOperations() {
  const char *given = std::getenv("LLAMA_SOAK_OPERATIONS");
  return given ? std::atoi(given) : 2000;
}

/// A session and what it should be.
struct Twin {
  Session session;
  Engine *engine;
  std::vector<Step> steps;
  bool hasLogits = false;
  /// Further down, the last eval gave logits, too.
  size_t logitsFrom = 0;

  Twin fork() const {
    return {session.fork(), engine, steps, hasLogits, logitsFrom};
  }

  void check() const {
    ASSERT_EQ(session.getLength(), int64_t(steps.size()));
    ASSERT_TRUE(
        std::ranges::equal(session.getIds(), steps, {}, {}, &Step::token));
    std::vector<float> logits = getLastLogits(session);
    if (hasLogits)
      ASSERT_EQ(logits, getExpectedLogits(steps));
    else
      ASSERT_TRUE(logits.empty());
  }
};

/// One thread's operations on its own sessions of engines that all share.
class Worker {
public:
  Worker(std::span<Engine> engines, uint32_t seed)
      : engines(engines), random(seed) {}

  void run(int operations) {
    for (int i = 0; i < operations && !testing::Test::HasFatalFailure(); ++i)
      operate();
  }

  std::array<int, 12> done = {}; // operations of each kind that went well
  int refused = 0;               // for want of cache

private:
  size_t below(size_t n) { return random() % n; }
  Twin &choose() { return *twins[below(twins.size())]; }

  std::vector<int32_t> makePart() { // one of a few beginnings
    std::vector<int32_t> ids = makeIds(150, below(3));
    ids.resize(1 + below(ids.size()));
    return ids;
  }

  /// Whether `call` went well; else it was refused for want of cache.
  template <typename Call>
  bool attempt(Call call) {
    try {
      call();
      return true;
    } catch (const Error &error) {
      EXPECT_EQ(error.getKind(), LLAMART_ERROR_CACHE) << error.what();
      ++refused;
      return false;
    }
  }

  void create() {
    Engine &engine = engines[below(engines.size())];
    twins.push_back(
        std::make_unique<Twin>(Twin{Session(engine, below(3)), &engine, {}}));
  }

  void feed(Twin &twin, bool cancelled) {
    std::vector<int32_t> ids = makePart();
    if (twin.steps.size() + ids.size() > kContext)
      return truncate(twin);
    auto source = int32_t(below(2));
    auto logits = int32_t(below(3));
    llamart_feed feed = twin.session.feed(ids, source, logits);
    CancelFlag flag;
    if (cancelled)
      flag.set();
    llamart_eval_options options = {sizeof(options), flag.get()};
    llamart_error *error = llamart_eval(twin.engine->get(), &feed, 1, &options);
    if (cancelled) {
      int kind = llamart_error_kind(error);
      llamart_error_free(error);
      ASSERT_TRUE(kind == LLAMART_ERROR_CANCELLED ||
                  kind == LLAMART_ERROR_CACHE)
          << kind;
      return;
    }
    if (!attempt([&] { llamart::api::check(error); }))
      return;
    for (int32_t id : ids)
      twin.steps.push_back({id, source});
    twin.hasLogits = logits != LLAMART_LOGITS_NONE;
    twin.logitsFrom =
        twin.steps.size() - (logits == LLAMART_LOGITS_ALL ? ids.size() : 1);
  }

  void truncate(Twin &twin) {
    size_t length = below(twin.steps.size() + 1);
    twin.session.truncate(int64_t(length));
    twin.hasLogits = twin.hasLogits && length > twin.logitsFrom;
    twin.steps.resize(length);
  }

  /// A session that begins with what others have computed.
  void adopt() {
    create();
    Twin &twin = *twins.back();
    std::vector<int32_t> ids = makePart();
    size_t known = twin.session.adopt(ids);
    ASSERT_EQ(known % 64, 0u);
    ASSERT_LE(known, ids.size());
    for (size_t i = 0; i < known; ++i)
      twin.steps.push_back({ids[i]});
  }

  void saveAndLoad(const Twin &twin) {
    std::vector<std::byte> state;
    twin.session.save([&](std::span<const std::byte> bytes) {
      state.insert(state.end(), bytes.begin(), bytes.end());
    });
    std::optional<Session> loaded;
    if (!attempt([&] { loaded.emplace(Session::load(*twin.engine, state)); }))
      return;
    twins.push_back(
        std::make_unique<Twin>(Twin{std::move(*loaded), twin.engine, twin.steps,
                                    twin.hasLogits, twin.steps.size() - 1}));
  }

  /// A few jobs, of which some are cancelled and some set aside.
  void runQueue() {
    Engine &engine = engines[below(engines.size())];
    Sampler greedy = Sampler::greedy();
    Queue queue(engine);
    std::vector<std::vector<int32_t>> prompts, ids(3);
    std::vector<Ticket> tickets;
    for (size_t i = 0; i < ids.size(); ++i) {
      prompts.push_back(makePart());
      Job job;
      job.sampler = &greedy;
      job.prompt = prompts.back();
      job.maxTokens = int64_t(1 + below(90));
      job.ignoreEos = true;
      job.onToken = [&ids, i](int32_t id) {
        ids[i].push_back(id);
        return true;
      };
      tickets.push_back(queue.add(job));
    }
    size_t cancelled = below(6), when = below(20);
    for (size_t turn = 0; queue.step(0) > 0; ++turn)
      if (turn == when && cancelled < tickets.size())
        tickets[cancelled].cancel();
    for (size_t i = 0; i < ids.size(); ++i) {
      const llamart_result &result = *tickets[i].getResult();
      if (result.finish == LLAMART_FINISH_ERROR)
        ASSERT_EQ(result.error_kind, LLAMART_ERROR_CACHE) << result.error;
      std::vector<Step> steps = toSteps(prompts[i]);
      for (int32_t id : ids[i]) {
        std::vector<float> logits = getExpectedLogits(steps);
        ASSERT_EQ(id, std::ranges::max_element(logits) - logits.begin());
        steps.push_back({id, LLAMART_FROM_MODEL});
      }
    }
  }

  void operate() {
    size_t kind = below(done.size());
    if (twins.empty())
      kind = 0;
    if (twins.size() > 8)
      kind = 5;
    switch (kind) {
    case 0:
      create();
      break;
    case 1:
      twins.push_back(std::make_unique<Twin>(choose().fork()));
      break;
    case 2:
      truncate(choose());
      break;
    case 3:
      feed(choose(), /*cancelled=*/true);
      break;
    case 4:
      choose().session.release();
      break;
    case 5:
      twins.erase(twins.begin() + ptrdiff_t(below(twins.size())));
      break;
    case 6:
      adopt();
      break;
    case 7:
      saveAndLoad(choose());
      break;
    case 8:
      runQueue();
      break;
    default:
      feed(choose(), /*cancelled=*/false);
      break;
    }
    ++done[kind];
    for (const auto &twin : twins)
      twin->check();
  }

  std::span<Engine> engines;
  std::mt19937 random;
  std::vector<std::unique_ptr<Twin>> twins;
};

TEST(CacheModel, RandomOperationsAreThoseOfAList) {
  std::vector<Model> models;
  models.emplace_back(getModelPath("fake"));
  models.emplace_back(getModelPath("fake-no-bos"));
  std::vector<Engine> engines;
  for (const Model &model : models) {
    llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
    options.threads = 2;
    options.batch_rows = 40;
    options.kv_bytes = 20 * kBlockBytes; // too little for all
    options.prefix_bytes = 10 * kBlockBytes;
    engines.emplace_back(model, options);
  }
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i)
    workers.push_back(std::make_unique<Worker>(engines, 1000 + i));
  for (const auto &worker : workers)
    threads.emplace_back(
        [&worker] { worker->run(countOperations() / kThreads); });
  for (std::thread &thread : threads)
    thread.join();
  int refused = 0;
  for (const auto &worker : workers) {
    refused += worker->refused;
    for (size_t kind = 0; kind < worker->done.size(); ++kind)
      EXPECT_GT(worker->done[kind], 0) << kind;
  }
  EXPECT_GT(refused, 0); // or the cache was never full
  workers.clear();
  uint64_t preemptions = 0;
  for (const Engine &engine : engines) {
    llamart_stats stats = engine.getStats();
    EXPECT_EQ(stats.sessions, 0u);
    EXPECT_EQ(stats.kv_used, 0u);
    EXPECT_EQ(stats.running + stats.waiting, 0u);
    EXPECT_GT(stats.prefix_found_tokens, 0u);
    EXPECT_GT(stats.recomputed_tokens, 0u);
    preemptions += stats.preemptions;
  }
  EXPECT_GT(preemptions, 0u);
}

} // namespace
