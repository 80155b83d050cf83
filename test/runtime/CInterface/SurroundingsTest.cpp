//===- SurroundingsTest.cpp - What the library does to a process ----------===//

#include "test/runtime/FakeModelFixture.h"

#include <cfenv>
#include <clocale>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <pthread.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

using namespace fakemodel;
using namespace llamart::api;

namespace {

/// All that an application does, with one text at its end.
std::string runAll(const std::string &path, int32_t threads) {
  Model model(path);
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  options.threads = threads;
  options.kv_bytes = 1 << 22;
  Engine engine(model, options);
  Session session(engine);
  Sampler sampler(LLAMART_SAMPLER_OPTIONS);
  std::vector<int32_t> prompt = model.encode("Once upon a time");
  Job job;
  job.session = &session;
  job.sampler = &sampler;
  job.prompt = prompt;
  job.maxTokens = 30;
  job.ignoreEos = true;
  std::string text;
  job.onText = [&](std::string_view piece) {
    text += piece;
    return true;
  };
  generate(engine, {&job, 1});
  Session loaded = Session::load(engine, [&] {
    std::vector<std::byte> state;
    session.save([&](std::span<const std::byte> bytes) {
      state.insert(state.end(), bytes.begin(), bytes.end());
    });
    return state;
  }());
  std::vector<Message> messages = {{"user", "Hi"}};
  return text + model.formatChat(messages) +
         std::to_string(loaded.sample(sampler));
}

const std::string &getExpected() {
  static const std::string expected = runAll(getModelPath("fake"), 2);
  return expected;
}

/// Runs in a process of its own; whether it returned true there.
template <typename Function>
bool runAlone(Function function) {
  pid_t child = fork();
  if (child == 0)
    _exit(function() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// AddressSanitizer puts room around every variable.
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr size_t kSmallStack = 1 << 20;
#else
constexpr size_t kSmallStack = 128 << 10;
#endif

TEST(Surroundings, ASmallStackSuffices) { // I9
  struct Call {
    std::string result;
    static void *run(void *call) {
      static_cast<Call *>(call)->result = runAll(getModelPath("fake"), 1);
      return nullptr;
    }
  } call;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kSmallStack), 0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &attributes, Call::run, &call), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(call.result, getExpected());
}

TEST(Surroundings, TheFloatingPointEnvironmentChangesNothingAndStays) {
  for (int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    ASSERT_EQ(std::fesetround(mode), 0);
    std::string result = runAll(getModelPath("fake"), 2);
    EXPECT_EQ(std::fegetround(), mode);
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(result, getExpected()) << mode;
  }
#if defined(__x86_64__)
  unsigned before = _mm_getcsr();
  unsigned flush = before | 0x8040; // flush to zero, denormals are zero
  _mm_setcsr(flush);
  std::string result = runAll(getModelPath("fake"), 2);
  EXPECT_EQ(_mm_getcsr() & 0x8040, 0x8040u);
  _mm_setcsr(before);
  EXPECT_EQ(result, getExpected());
#endif
}

TEST(Surroundings, NothingIsWrittenAndClosedStreamsDoNoHarm) {
  getExpected();
  EXPECT_TRUE(runAlone([] {
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    return runAll(getModelPath("fake"), 1) == getExpected();
  }));
  TemporaryFolder folder;
  std::string path = folder.getFile("output");
  EXPECT_TRUE(runAlone([&] {
    int file = open(path.c_str(), O_CREAT | O_WRONLY, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    bool same = runAll(getModelPath("fake"), 1) == getExpected();
    (void)getErrorOf([] { Model none("/nowhere"); });
    return same;
  }));
  EXPECT_EQ(std::filesystem::file_size(path), 0u);
}

TEST(Surroundings, TheLocaleIsNeitherReadNorChanged) {
  std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char *name : {"C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8"}) {
    if (!std::setlocale(LC_ALL, name))
      continue; // not on this machine; the first one always is
    std::string set = std::setlocale(LC_ALL, nullptr);
    EXPECT_EQ(runAll(getModelPath("fake"), 2), getExpected());
    EXPECT_EQ(std::setlocale(LC_ALL, nullptr), set);
  }
  std::setlocale(LC_ALL, before.c_str());
}

std::atomic<int> signals = 0;
std::atomic<bool> handledElsewhere = false;
std::thread::id mainThread;

// A thread of the library that took it would be another one.
TEST(Surroundings, ThreadsOfTheLibraryTakeNoSignals) {
  mainThread = std::this_thread::get_id();
  struct sigaction action = {}, old = {};
  action.sa_handler = [](int) {
    ++signals;
    if (std::this_thread::get_id() != mainThread)
      handledElsewhere = true;
  };
  sigaction(SIGUSR1, &action, &old);
  Model model(getModelPath("fake"));
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  options.threads = 4;
  Engine engine(model, options);
  for (int i = 0; i < 50; ++i)
    kill(getpid(), SIGUSR1);
  for (int i = 0; i < 1000 && signals == 0; ++i)
    usleep(1000);
  EXPECT_GT(signals, 0);
  EXPECT_FALSE(handledElsewhere);
  sigaction(SIGUSR1, &old, nullptr);
}

} // namespace
