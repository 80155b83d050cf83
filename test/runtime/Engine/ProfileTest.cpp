//===- ProfileTest.cpp - What the phases of forward calls take ------------===//
//
// Calls of threads whose work is known: they sleep.
//
//===----------------------------------------------------------------------===//

#include "runtime/Engine/Profile.h"

#include "runtime/Engine/SharedLoops.h"
#include "test/runtime/FakeModelFixture.h"

#include <chrono>
#include <latch>
#include <numeric>
#include <thread>

using namespace llamart;

namespace {

/// Two prefill rows of one sequence, at positions 4 and 5, and a decode row
/// at position 9 of another; logits of one of them.
struct Call {
  int32_t positions[3] = {4, 5, 9}, sequences[3] = {0, 0, 1};
  SharedLoops loops;
  llama_call call = {};

  explicit Call(int32_t threads) {
    call.rows = 3;
    call.prompt_rows = 2;
    call.logit_rows = 1;
    call.table_count = 2;
    call.positions = positions;
    call.sequences = sequences;
    call.threads = threads;
    call.barrier = &SharedLoops::Thread::arrive;
    call.take_share = &SharedLoops::Thread::takeShare;
  }

  llama_call of(SharedLoops::Thread &thread) const {
    llama_call own = call;
    own.team = &thread;
    return own;
  }
};

template <typename Body>
void shareLoop(const llama_call &call, int64_t shares, Body body) {
  for (int64_t i; (i = call.take_share(call.team, shares)) >= 0;)
    body();
}

struct ProfileTest : testing::Test {
  std::shared_ptr<const Model> model =
      Model::open(fakemodel::getModelPath("fake"), WeightsMode::Mapped);

  /// Runs a call in which every thread does `work`.
  template <typename Work>
  static void run(Profile &profile, int32_t threads, Work work) {
    Call given(threads);
    profile.begin(given.call);
    std::vector<std::thread> team;
    for (int32_t i = 0; i < threads; ++i)
      team.emplace_back([&, i] {
        SharedLoops::Thread own(given.loops);
        llama_call call = profile.beginThread(given.of(own), i);
        work(call, i);
        profile.endThread(i);
      });
    for (std::thread &thread : team)
      thread.join();
    profile.end();
  }
};

// T1: there is no gap.
TEST_F(ProfileTest, SecondsOfPhasesAddUpToThoseOfCalls) {
  for (int32_t threads : {1, 2, 3}) {
    Profile profile(*model, threads);
    for (int call = 0; call < 3; ++call)
      run(profile, threads, [](const llama_call &call, int32_t thread) {
        for (int64_t layer = 0; layer < 20; ++layer) {
          call.barrier(call.team, 1, layer);
          std::this_thread::sleep_for(std::chrono::microseconds(50 * thread));
        }
      });
    double sum = 0;
    for (const Profile::Entry &entry : profile.getEntries()) {
      sum += entry.seconds;
      EXPECT_LE(entry.waiting, entry.seconds);
      EXPECT_EQ(entry.runs, 3);
    }
    EXPECT_EQ(profile.getCalls(), 3);
    EXPECT_EQ(profile.getEntries().size(), 21u);
    EXPECT_NEAR(sum, profile.getSeconds(), 1e-9 * profile.getSeconds());
  }
}

// T2, T3: who has nothing to do waits; the last phase waits for the last thread.
TEST_F(ProfileTest, WaitingIsThatOfThreadsThatCameEarly) {
  constexpr auto kWork = std::chrono::milliseconds(30);
  Profile profile(*model, 2);
  std::latch both(2); // nobody is late
  run(profile, 2, [&](const llama_call &call, int32_t) {
    call.barrier(call.team, 0, -1);
    both.arrive_and_wait();
    shareLoop(call, 1, [&] { std::this_thread::sleep_for(kWork); });
    call.barrier(call.team, 2, -1);
    shareLoop(call, 1, [&] { std::this_thread::sleep_for(kWork); });
  });
  ASSERT_EQ(profile.getEntries().size(), 3u);
  EXPECT_EQ(profile.getEntries()[0].name, "start");
  EXPECT_EQ(profile.getEntries()[1].name, "embed");
  EXPECT_EQ(profile.getEntries()[2].name, "logits");
  for (int phase : {1, 2}) {
    const Profile::Entry &entry = profile.getEntries()[phase];
    EXPECT_GE(entry.seconds, 0.025); // who waits may wake a little later
    EXPECT_GT(entry.waiting, 0);     // of the mean, half
    EXPECT_LE(entry.waiting, entry.seconds - 0.015);
  }
}

// T4. The numbers are those of fake-model.cpp.
TEST_F(ProfileTest, BytesAndOperationsCountOnceACall) {
  Profile profile(*model, 2);
  for (int i = 0; i < 2; ++i)
    run(profile, 2, [&](const llama_call &call, int32_t) {
      call.barrier(call.team, 0, -1);
      call.barrier(call.team, 1, 1);
      call.barrier(call.team, 1, 1); // the second half of the rows, say
      call.barrier(call.team, 2, -1);
    });
  const std::vector<Profile::Entry> &entries = profile.getEntries();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[1].weightBytes, 2 * 64.0 * 3); // a line of 64 for each row
  EXPECT_EQ(entries[1].operations, 0);
  EXPECT_EQ(entries[2].layer, 1);
  EXPECT_EQ(entries[2].runs, 4);
  EXPECT_EQ(entries[2].weightBytes, 2 * 1000.0);
  // 6 positions of one sequence, 10 of the other; a position's key and value of
  // two heads of 4 floats.
  EXPECT_EQ(entries[2].cacheBytes, 2 * (6 + 10) * 2 * 2 * 4 * 4.0);
  // 100 weights for each of 3 rows; 5 + 6 + 10 pairs, 4 heads of 4.
  EXPECT_EQ(entries[2].operations, 2 * (2 * 100.0 * 3 + 4 * 16 * 21.0));
  EXPECT_EQ(entries[3].operations, 2 * 2 * 4224.0); // one row of logits
  EXPECT_EQ(entries[3].weightBytes, 2 * 16896.0);
}

// Barriers stand in front of loops over no rows, too.
TEST_F(ProfileTest, NoRowsReadNoWeights) {
  Profile profile(*model, 1);
  Call given(1);
  given.call.logit_rows = 0;
  profile.begin(given.call);
  SharedLoops::Thread own(given.loops);
  llama_call call = profile.beginThread(given.of(own), 0);
  call.barrier(call.team, 2, -1);
  profile.endThread(0);
  profile.end();
  ASSERT_EQ(profile.getEntries().size(), 2u);
  EXPECT_EQ(profile.getEntries()[1].runs, 1);
  EXPECT_EQ(profile.getEntries()[1].weightBytes, 0);
  EXPECT_EQ(profile.getEntries()[1].operations, 0);
}

// A model may have more barriers than it tells about.
TEST_F(ProfileTest, PhasesWithoutADescriptionHaveNumbers) {
  Profile profile(*model, 1);
  run(profile, 1,
      [&](const llama_call &call, int32_t) { call.barrier(call.team, 77, 5); });
  ASSERT_EQ(profile.getEntries().size(), 2u);
  EXPECT_EQ(profile.getEntries()[1].name, "phase 77");
  EXPECT_EQ(profile.getEntries()[1].layer, 5);
}

} // namespace
