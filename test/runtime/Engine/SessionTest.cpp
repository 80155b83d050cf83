//===- SessionTest.cpp - What a session tells its sampler -----------------===//

#include "runtime/Engine/Session.h"

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>

using namespace fakemodel;
using namespace llamart;

namespace {

/// Counts what it was asked; always chooses 7.
struct CountingState : SamplerState {
  int steps = 0;
  std::unique_ptr<SamplerState> clone() const override {
    return std::make_unique<CountingState>(*this);
  }
  std::string save() const override { return std::to_string(steps); }
};

struct CountingSampler : Sampler {
  mutable int statesMade = 0;
  mutable int stepsSeen = 0; // by the state of the last call
  mutable std::vector<int32_t> history;
  mutable std::vector<float> logits;
  mutable SampleInput input;

  std::unique_ptr<SamplerState> makeState() const override {
    ++statesMade;
    return std::make_unique<CountingState>();
  }
  int32_t sample(const SampleInput &given, SamplerState *state,
                 SampleTrace *) const override {
    input = given;
    history.assign(given.history.begin(), given.history.end());
    logits.assign(given.logits.begin(), given.logits.end());
    stepsSeen = static_cast<CountingState *>(state)->steps++;
    return 7;
  }
};

struct SessionTest : testing::Test {
  std::shared_ptr<Engine> engine = std::make_shared<Engine>(
      Model::open(getModelPath("fake"), WeightsMode::Mapped), EngineOptions());
  std::shared_ptr<CountingSampler> sampler =
      std::make_shared<CountingSampler>();

  void feed(Session &session, std::vector<int32_t> ids,
            RowKind kind = RowKind::Prefill) {
    SequenceInput input{&session.getSequence(), ids, kind, WantLogits::All};
    engine->eval({&input, 1});
  }
};

TEST_F(SessionTest, ASamplerSeesTheSequenceAndItsLastLogits) {
  Session session(engine, {42});
  feed(session, {1, 2, 3});
  EXPECT_EQ(session.sample(sampler), 7);
  EXPECT_EQ(sampler->history, (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(sampler->input.promptLength, 3u);
  EXPECT_EQ(sampler->input.sequence, 42u);
  EXPECT_EQ(sampler->input.position, 3u);
  EXPECT_EQ(sampler->logits, getExpectedLogits(toSteps({1, 2, 3})));

  feed(session, {7}, RowKind::Decode);
  session.sample(sampler);
  EXPECT_EQ(sampler->history, (std::vector<int32_t>{1, 2, 3, 7}));
  EXPECT_EQ(sampler->input.promptLength, 3u);

  // Another message of the user: all up to it is the prompt.
  feed(session, {4, 5});
  session.sample(sampler);
  EXPECT_EQ(sampler->input.promptLength, 6u);
  session.truncate(5);
  feed(session, {9}, RowKind::Decode);
  session.sample(sampler);
  EXPECT_EQ(sampler->input.promptLength, 5u);
  EXPECT_EQ(sampler->history, (std::vector<int32_t>{1, 2, 3, 7, 4, 9}));
  session.truncate(4); // ends with what was generated
  feed(session, {9}, RowKind::Decode);
  session.sample(sampler);
  EXPECT_EQ(sampler->input.promptLength, 3u);
}

TEST_F(SessionTest, ASamplersStateLivesAsLongAsItsSequence) {
  Session session(engine, {0});
  feed(session, {1});
  session.sample(sampler);
  session.sample(sampler);
  EXPECT_EQ(sampler->statesMade, 1);
  EXPECT_EQ(sampler->stepsSeen, 1);

  // A fork takes it along, and they part.
  std::unique_ptr<Session> fork = session.fork(1);
  fork->sample(sampler);
  EXPECT_EQ(sampler->stepsSeen, 2);
  session.sample(sampler);
  EXPECT_EQ(sampler->stepsSeen, 2);
  EXPECT_EQ(sampler->statesMade, 1);

  // Another sampler starts anew.
  auto other = std::make_shared<CountingSampler>();
  session.sample(other);
  EXPECT_EQ(other->stepsSeen, 0);
  session.sample(sampler);
  EXPECT_EQ(sampler->stepsSeen, 0);
}

TEST_F(SessionTest, CutAtAChoiceASessionHasTheStateThatMadeIt) {
  Session session(engine, {0});
  feed(session, {1, 2});
  for (int i = 0; i < 5; ++i) { // the choice at position 2 + i has seen i
    session.sample(sampler);
    EXPECT_EQ(sampler->stepsSeen, i);
    feed(session, {7}, RowKind::Decode);
  }
  std::unique_ptr<Session> fork = session.fork(1);
  for (Session *one : {&session, fork.get()}) {
    one->truncate(4);
    feed(*one, {8}, RowKind::Decode); // not what was chosen
    one->sample(sampler);
    EXPECT_EQ(sampler->stepsSeen, 2);
    one->truncate(3);
    feed(*one, {8}, RowKind::Decode);
    one->sample(sampler);
    EXPECT_EQ(sampler->stepsSeen, 1);
  }
  EXPECT_EQ(sampler->statesMade, 1);
}

TEST_F(SessionTest, ChoicesLongAgoCannotBeTakenBack) {
  Session session(engine, {0});
  feed(session, {1});
  auto choose = [&](int count) {
    for (int i = 0; i < count; ++i) {
      session.sample(sampler);
      feed(session, {7}, RowKind::Decode);
    }
  };
  choose(20); // at 1 to 20; those at 5 to 20 are kept
  session.truncate(5);
  feed(session, {9});
  choose(1);
  EXPECT_EQ(sampler->stepsSeen, 4);
  EXPECT_EQ(sampler->statesMade, 1);
  choose(20);
  session.truncate(5);
  feed(session, {9});
  choose(1);
  EXPECT_EQ(sampler->stepsSeen, 0); // begins anew
  EXPECT_EQ(sampler->statesMade, 2);
}

TEST_F(SessionTest, CutWithinTheRowsOfLogitsASessionGoesOnFromThere) {
  Session session(engine, {0});
  feed(session, {1, 2, 3, 4, 5});
  session.truncate(3);
  EXPECT_EQ(session.getLogits().rows, 3);
  session.sample(sampler);
  EXPECT_EQ(sampler->logits, getExpectedLogits(toSteps({1, 2, 3})));
  feed(session, {6});
  session.truncate(3); // its eval gave those of position 3 only
  EXPECT_EQ(session.getLogits().rows, 0);
  EXPECT_EQ(getErrorOf([&] { session.sample(sampler); }),
            "nothing to sample from: the session has no logits");
  session.truncate(0);
  EXPECT_EQ(session.getLogits().rows, 0);
}

} // namespace
