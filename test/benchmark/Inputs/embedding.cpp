// What an application waits for, in milliseconds: embedding MODEL.so
//
//   cancel KIND WHERE MS     from setting a flag to the end of a call, in the middle of a prompt
//   first found|anew MS      a prompt's first token, with and without its beginning in the cache
//   idle PERCENT             of a processor, while an engine and a queue wait

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <llamart/llamart.hpp>
#include <sys/resource.h>
#include <sys/time.h>
#include <thread>

namespace llama = llamart::api;
using Clock = std::chrono::steady_clock;

static double getMilliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

static std::vector<int32_t> makePrompt(const llama::Model &model, size_t count,
                                       uint32_t seed) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    ids.push_back(int32_t(seed % uint32_t(model.getInfo().vocab)));
  }
  return ids;
}

static llama::CancelFlag *flag = nullptr;
static std::atomic<Clock::duration> setAt;

static void setFlag() {
  setAt = Clock::now().time_since_epoch();
  flag->set();
}

static void cancelEval(const llama::Model &model, llama::Engine &engine,
                       const char *where, int afterMs) {
  llama::Session session(engine);
  std::vector<int32_t> ids = makePrompt(model, 2000, 7);
  llamart_feed feed = session.feed(ids);
  llamart_eval_options options = {sizeof(options), flag->get()};
  flag->clear();
  std::thread other;
  if (where[0] == 't') {
    other = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(afterMs));
      setFlag();
    });
  } else {
    std::signal(SIGALRM, [](int) { setFlag(); });
    itimerval timer = {};
    timer.it_value.tv_sec = afterMs / 1000;
    timer.it_value.tv_usec = afterMs % 1000 * 1000;
    setitimer(ITIMER_REAL, &timer, nullptr);
  }
  llamart_error *error = llamart_eval(engine.get(), &feed, 1, &options);
  auto end = Clock::now().time_since_epoch();
  bool cancelled = llamart_error_kind(error) == LLAMART_ERROR_CANCELLED;
  llamart_error_free(error);
  if (other.joinable())
    other.join();
  std::printf("cancel eval %s %.1f\n", where,
              cancelled ? getMilliseconds(end - setAt.load()) : -1.0);
}

/// A queue in which another job goes on.
static void cancelJob(const llama::Model &model, llama::Engine &engine,
                      int afterMs) {
  llama::Queue queue(engine);
  llama::Sampler greedy = llama::Sampler::greedy();
  std::vector<int32_t> longOne = makePrompt(model, 2000, 9),
                       shortOne = makePrompt(model, 10, 10);
  llama::Job other;
  other.sampler = &greedy;
  other.prompt = shortOne;
  other.maxTokens = 100000;
  other.ignoreEos = true;
  queue.add(other);
  for (int i = 0; i < 12; ++i) // it learns how long calls take
    queue.step();
  llama::Job job = other;
  job.prompt = longOne;
  Clock::duration finished{};
  job.onFinish = [&](const llamart_result &) {
    finished = Clock::now().time_since_epoch();
  };
  llama::Ticket ticket = queue.add(job);
  std::atomic<bool> done = false;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(afterMs));
    setAt = Clock::now().time_since_epoch();
    ticket.cancel();
  });
  double longest = 0.0;
  while (!ticket.getResult()) {
    auto begin = Clock::now();
    queue.step();
    longest = std::max(longest, getMilliseconds(Clock::now() - begin));
  }
  canceller.join();
  std::printf("cancel job thread %.1f\nlongest step %.1f\n",
              getMilliseconds(finished - setAt.load()), longest);
}

static void findBeginning(const llama::Model &model, llama::Engine &engine) {
  llama::Sampler greedy = llama::Sampler::greedy();
  std::vector<int32_t> prompt = makePrompt(model, 2000, 11);
  for (const char *how : {"anew", "found"}) {
    llama::Job job;
    job.sampler = &greedy;
    job.prompt = prompt;
    job.maxTokens = 1;
    auto begin = Clock::now();
    llama::generate(engine, {&job, 1});
    std::printf("first %s %.1f\n", how, getMilliseconds(Clock::now() - begin));
  }
}

static void waitIdle(llama::Engine &engine) {
  llama::Queue queue(engine);
  std::thread runner([&] { queue.run(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  auto getCpu = [] {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  double before = getCpu();
  std::this_thread::sleep_for(std::chrono::seconds(3));
  std::printf("idle percent %.2f\n", (getCpu() - before) / 3 * 100);
  queue.stop(true);
  runner.join();
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  llama::Model model(argv[1]);
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  options.prefix_bytes = uint64_t(1) << 28;
  options.kv_bytes = uint64_t(1) << 30;
  llama::Engine engine(model, options);
  llama::CancelFlag own;
  flag = &own;
  for (int afterMs : {400, 1000, 1700}) {
    cancelEval(model, engine, "thread", afterMs);
    cancelEval(model, engine, "signal", afterMs);
    cancelJob(model, engine, afterMs);
  }
  findBeginning(model, engine);
  waitIdle(engine);
}
