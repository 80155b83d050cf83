//===- ThreadsTest.cpp - Teams and executors -------------------------------===//

#include "runtime/Engine/Threads.h"

#include "runtime/Error.h"
#include "test/runtime/CpuTime.h"
#include "test/runtime/ForkedProcess.h"
#include "test/runtime/ThreadCount.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>

using namespace llamart;

namespace {

template <typename Function>
void runOn(Executor &executor, Function function) {
  executor.run(
      [](void *argument, int32_t thread) {
        (*static_cast<Function *>(argument))(thread);
      },
      &function);
}

TEST(Team, RunsEveryThreadNumberOncePerCall) {
  Team team(4);
  std::atomic<int> counts[4] = {};
  for (int call = 1; call <= 100; ++call) {
    runOn(team, [&](int32_t thread) { ++counts[thread]; });
    for (std::atomic<int> &count : counts)
      ASSERT_EQ(count, call);
  }
}

TEST(Team, LeavesNoThreadBehind) {
  int64_t before = countThreads();
  {
    Team team(5);
    EXPECT_EQ(countThreads(), before + 4);
    runOn(team, [](int32_t) {});
  }
  EXPECT_TRUE(comesTrue([&] { return countThreads() == before; }));
}

TEST(Team, OfOneIsTheCaller) {
  int64_t before = countThreads();
  Team team(1);
  std::thread::id seen;
  runOn(team, [&](int32_t) { seen = std::this_thread::get_id(); });
  EXPECT_EQ(seen, std::this_thread::get_id());
  EXPECT_EQ(countThreads(), before);
}

TEST(Team, BlocksTheApplicationsSignals) {
  Team team(2);
  std::atomic<int> blocked = 0;
  runOn(team, [&](int32_t thread) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    if (thread == 1)
      blocked = sigismember(&mask, SIGINT);
  });
  EXPECT_EQ(blocked, 1);
  sigset_t mask; // the caller's are as before
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGINT), 0);
}

TEST(Team, SaysThatAForkHasNoneOfItsThreads) {
  auto team = std::make_unique<Team>(3);
  runOn(*team, [](int32_t) {});
  EXPECT_EQ(runForked([&] {
              try {
                runOn(*team, [](int32_t) {});
                return 1;
              } catch (const Error &error) {
                if (error.getKind() != ErrorKind::System ||
                    !strstr(error.what(), "the engine's 3 threads are in "))
                  return 2;
              }
              team.reset(); // waits for nobody
              Team own(3);
              std::atomic<int> count = 0;
              runOn(own, [&](int32_t) { ++count; });
              return count == 3 ? 0 : 3;
            }),
            0);
  runOn(*team, [](int32_t) {}); // the parent's are as before
}

TEST(Team, OfOneRunsInAFork) {
  Team team(1);
  EXPECT_EQ(runForked([&] {
              int count = 0;
              runOn(team, [&](int32_t) { ++count; });
              return count == 1 ? 0 : 1;
            }),
            0);
}

constexpr std::chrono::milliseconds kNap(300);

// Who waits long must leave the cores to others: seven threads that went on
// spinning would use 0.3 s on every core there is.
TEST(Waiting, ForTheNextCallIsSleepingAfterAWhile) {
  Team team(8);
  runOn(team, [](int32_t) {});
  EXPECT_LT(getCpuTimeOf([] { std::this_thread::sleep_for(kNap); }), 0.05);
}

TEST(Waiting, ForTheOthersToFinishIsSleepingAfterAWhile) {
  Team team(2);
  double used = getCpuTimeOf([&] {
    runOn(team, [](int32_t thread) {
      if (thread == 1)
        std::this_thread::sleep_for(kNap);
    });
  });
  EXPECT_LT(used, 0.05);
}

TEST(Executor, OfTheApplicationRunsTheTask) {
  auto run = [](void *user, Task task, void *argument, int32_t threads) {
    ++*static_cast<int *>(user);
    std::vector<std::thread> all;
    for (int32_t i = 0; i < threads; ++i)
      all.emplace_back(task, argument, i);
    for (std::thread &thread : all)
      thread.join();
    return 0;
  };
  int calls = 0;
  ForeignExecutor executor(run, &calls, 3);
  std::atomic<int> sum = 0;
  runOn(executor, [&](int32_t thread) { sum += 1 + thread; });
  EXPECT_EQ(sum, 1 + 2 + 3);
  EXPECT_EQ(calls, 1);
}

std::string getErrorOf(ForeignExecutor::Run run) {
  ForeignExecutor executor(run, nullptr, 2);
  try {
    runOn(executor, [](int32_t) {});
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

TEST(Executor, ThatFailsIsAnError) {
  EXPECT_EQ(getErrorOf([](void *, Task, void *, int32_t) { return 7; }),
            "the executor failed with 7");
}

TEST(Executor, ThatForgetsAThreadIsAnError) {
  EXPECT_EQ(getErrorOf([](void *, Task task, void *argument, int32_t) {
              task(argument, 0);
              return 0;
            }),
            "the executor ran 1 of 2 threads");
}

} // namespace
