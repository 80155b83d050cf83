//===- SharedLoopsTest.cpp - Which thread does what of a forward call -----===//

#include "runtime/Engine/SharedLoops.h"

#include "test/runtime/CpuTime.h"

#include <chrono>
#include <gtest/gtest.h>
#include <latch>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

using namespace llamart;

namespace {

using Thread = SharedLoops::Thread;

template <typename Body>
void shareLoop(Thread &own, int64_t shares, Body body) {
  for (int64_t i; (i = own.takeShare(shares)) >= 0;)
    body(i);
}

/// Runs `work` on so many threads, each with its way through the loops. Whether
/// the call was given up.
template <typename Work>
bool run(int32_t count, Work work,
         std::span<const Beneficiary> beneficiaries = {}) {
  SharedLoops loops(beneficiaries);
  {
    std::vector<std::jthread> threads;
    for (int32_t i = 0; i < count; ++i)
      threads.emplace_back([&, i] {
        Thread own(loops);
        work(own, i);
      });
  }
  return loops.isGivenUp();
}

// L1, L2: every phase reads all that the one before has written, in another
// order. A share that is lost or taken twice, or a thread that goes on early,
// gives another sum.
TEST(SharedLoops, EveryPhaseSeesAllOfTheOneBefore) {
  constexpr int64_t kShares = 40, kPhases = 400;
  for (int32_t threads : {1, 2, 3, 8}) {
    std::vector<int64_t> one(kShares, 1), two(kShares), three(kShares);
    run(threads, [&](Thread &own, int32_t) {
      for (int64_t phase = 0; phase < kPhases; ++phase) {
        shareLoop(own, kShares, [&](int64_t i) {
          two[i] = one[kShares - 1 - i] + (phase % 7) * i;
        });
        shareLoop(own, 3, [&](int64_t) {}); // another loop of the phase
        own.arrive();
        shareLoop(own, kShares, [&](int64_t i) {
          three[i] = two[(i + 1) % kShares] - two[i] % 5;
        });
        own.arrive();
        shareLoop(own, kShares,
                  [&](int64_t i) { one[i] = three[(i * 7) % kShares] % 1009; });
        own.arrive();
      }
    });
    std::vector<int64_t> a(kShares, 1), b(kShares), c(kShares);
    for (int64_t phase = 0; phase < kPhases; ++phase) {
      for (int64_t i = 0; i < kShares; ++i)
        b[i] = a[kShares - 1 - i] + (phase % 7) * i;
      for (int64_t i = 0; i < kShares; ++i)
        c[i] = b[(i + 1) % kShares] - b[i] % 5;
      for (int64_t i = 0; i < kShares; ++i)
        a[i] = c[(i * 7) % kShares] % 1009;
    }
    EXPECT_EQ(one, a) << threads << " threads";
  }
}

// L3: one that never comes back from its first share is waited for there, and
// one that has not come at all is not.
TEST(SharedLoops, AThreadThatHasNotComeIsNotWaitedFor) {
  std::latch others(2);
  std::vector<int64_t> done(3);
  run(3, [&](Thread &own, int32_t thread) {
    if (thread == 2)
      others.wait(); // until the others have finished the whole call
    for (int phase = 0; phase < 100; ++phase) {
      shareLoop(own, 5, [&](int64_t) { ++done[thread]; });
      own.arrive();
    }
    if (thread != 2)
      others.count_down();
  });
  EXPECT_EQ(done[0] + done[1], 500);
  EXPECT_EQ(done[2], 0);
}

TEST(SharedLoops, AThreadThatIsHeldUpDoesNotKeepOthersFromTheRest) {
  std::latch rest(9);
  std::vector<int64_t> done(2);
  run(2, [&](Thread &own, int32_t thread) {
    shareLoop(own, 10, [&](int64_t i) {
      if (i == 0)
        rest.wait(); // until the other nine are done
      else
        rest.count_down();
      ++done[thread];
    });
    own.arrive();
  });
  EXPECT_EQ(std::max(done[0], done[1]), 9);
  EXPECT_EQ(std::min(done[0], done[1]), 1);
}

// L4: whoever it is that cancels, and when.
TEST(SharedLoops, ACallThatNobodyWantsEndsAtOnce) {
  for (int64_t when : {0, 1, 500, 1999}) {
    CancelFlag first = false, second = false;
    std::vector<Beneficiary> both = {{{&first}}, {{nullptr, &second}}};
    std::atomic<int64_t> done = 0;
    bool givenUp = run(
        4,
        [&](Thread &own, int32_t) {
          for (int phase = 0; phase < 100; ++phase) {
            shareLoop(own, 20, [&](int64_t) {
              first = true; // the second still wants it
              if (done++ == when)
                second = true;
            });
            own.arrive();
          }
        },
        both);
    EXPECT_TRUE(givenUp);
    EXPECT_GT(done, when);
    EXPECT_LE(done, when + 5); // what was being done
    second = false;
    done = 0;
    givenUp = run(
        4,
        [&](Thread &own, int32_t) {
          shareLoop(own, 20, [&](int64_t) { ++done; });
          own.arrive();
        },
        both);
    EXPECT_FALSE(givenUp);
    EXPECT_EQ(done, 20);
  }
}

// L2: the phase is over when that share is.
TEST(SharedLoops, AShareThatWasTakenIsWaitedFor) {
  bool isDone = false;
  run(4, [&](Thread &own, int32_t) {
    shareLoop(own, 1, [&](int64_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      isDone = true;
    });
    own.arrive();
    EXPECT_TRUE(isDone);
  });
}

// Loops over nothing, phases without a loop, threads that come in any order and
// are held up anywhere.
TEST(SharedLoops, AnyLoopsInAnyOrderAreSharedOnce) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 numbers(seed);
    std::vector<std::vector<int64_t>> phases(60);
    int64_t total = 0;
    for (std::vector<int64_t> &loops : phases)
      for (uint32_t i = numbers() % 4; i > 0; --i)
        total += loops.emplace_back(numbers() % 3 * (numbers() % 9));
    std::vector<std::vector<int64_t>> counts(4);
    run(4, [&](Thread &own, int32_t thread) {
      std::mt19937 naps(seed * 4 + thread);
      for (const std::vector<int64_t> &loops : phases) {
        for (int64_t shares : loops)
          shareLoop(own, shares, [&](int64_t i) {
            counts[thread].push_back(i);
            if (naps() % 64 == 0)
              std::this_thread::sleep_for(std::chrono::microseconds(100));
          });
        own.arrive();
      }
    });
    int64_t taken = 0, sum = 0, expected = 0;
    for (const std::vector<int64_t> &mine : counts) {
      taken += std::ssize(mine);
      sum += std::accumulate(mine.begin(), mine.end(), int64_t(0));
    }
    for (const std::vector<int64_t> &loops : phases)
      for (int64_t shares : loops)
        expected += shares * (shares - 1) / 2;
    EXPECT_EQ(taken, total);
    EXPECT_EQ(sum, expected);
  }
}

// Who waits long must leave the cores to others: seven threads that went on
// spinning would use 0.3 s on every core there is.
TEST(SharedLoops, WaitingIsSleepingAfterAWhile) {
  double used = getCpuTimeOf([&] {
    run(8, [&](Thread &own, int32_t) {
      shareLoop(own, 1, [](int64_t) {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
      });
      own.arrive();
    });
  });
  EXPECT_LT(used, 0.05);
}

} // namespace
