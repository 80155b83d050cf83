//===- AttentionTest.cpp - Scores from the model to the sampler -----------===//
//
// The fake model's scores are functions of each key's token: they arrive only
// if rows, strides and calls are what the ABI says.
//
//===----------------------------------------------------------------------===//

#include "runtime/Engine/Engine.h"
#include "runtime/Engine/Session.h"
#include "test/runtime/FakeModelFixture.h"

#include <gtest/gtest.h>

using namespace fakemodel;

namespace {

using llamart::RowKind;
using llamart::SequenceInput;
using llamart::Session;
using llamart::WantLogits;

std::shared_ptr<llamart::Engine> makeEngine(int32_t threads, int32_t rows) {
  llamart::EngineOptions options;
  options.threads = threads;
  options.batchRows = rows;
  options.kvBytes = 1 << 26;
  auto model =
      llamart::Model::open(getModelPath("fake"), llamart::WeightsMode::Mapped);
  return std::make_shared<llamart::Engine>(model, std::move(options));
}

void expectScores(const Session &session) {
  llamart::AttentionScores scores = session.getAttention();
  ASSERT_NE(scores.data, nullptr);
  ASSERT_EQ(scores.heads, kHeads);
  ASSERT_EQ(scores.length, session.getLength());
  for (int64_t head = 0; head < kHeads; ++head)
    for (int64_t key = 0; key < scores.length; ++key)
      ASSERT_EQ(scores.data[head * scores.stride + key],
                getScore(session.getHistory()[key], head))
          << head << ", " << key;
}

TEST(Attention, ScoresAreThoseOfTheLastRowWhateverTheCall) {
  for (int32_t threads : {1, 3})
    for (int32_t rows : {1, 7, 256})
      for (size_t length : {1, 63, 64, 65, 300}) {
        auto engine = makeEngine(threads, rows);
        Session a(engine, {0}), b(engine, {1}), c(engine, {2});
        std::vector<int32_t> x = makeIds(length, 1), y = makeIds(90, 2);
        std::vector<SequenceInput> feeds = {
            {&b.getSequence(), y, RowKind::Prefill, WantLogits::All, true},
            {&c.getSequence(), y, RowKind::Prefill, WantLogits::Last, false},
            {&a.getSequence(), x, RowKind::Prefill, WantLogits::Last, true}};
        engine->eval(feeds);
        expectScores(a);
        expectScores(b);
        EXPECT_EQ(c.getAttention().data, nullptr);
      }
}

TEST(Attention, EachRowOfLogitsHasItsScores) {
  auto engine = makeEngine(2, 7);
  Session session(engine, {0}), other(engine, {1});
  std::vector<int32_t> ids = makeIds(70), others = makeIds(100, 2);
  engine->eval(std::vector<SequenceInput>{
      {&other.getSequence(), others, RowKind::Prefill, WantLogits::All, true},
      {&session.getSequence(), ids, RowKind::Prefill, WantLogits::All, true}});
  for (int64_t row : {0, 1, 63, 64, 69}) {
    llamart::AttentionScores scores = session.getAttention(row);
    ASSERT_EQ(scores.length, row + 1);
    for (int64_t key = 0; key <= row; ++key)
      ASSERT_EQ(scores.data[2 * scores.stride + key], getScore(ids[key], 2));
  }
  EXPECT_EQ(session.getAttention(70).data, nullptr);
  session.truncate(65); // the scores of what is the last row now
  expectScores(session);
}

TEST(Attention, ScoresAreKeptWithTheLogits) {
  auto engine = makeEngine(2, 256);
  Session session(engine, {0});
  std::vector<int32_t> ids = makeIds(70);
  engine->eval(std::vector<SequenceInput>{
      {&session.getSequence(), ids, RowKind::Prefill, WantLogits::Last, true}});
  auto fork = session.fork(1);
  std::vector<int32_t> next = {5};
  engine->eval(
      std::vector<SequenceInput>{{&session.getSequence(), next, RowKind::Decode,
                                  WantLogits::Last, false}});
  EXPECT_EQ(session.getAttention().data, nullptr);
  expectScores(*fork);
  fork->truncate(3);
  EXPECT_EQ(fork->getAttention().data, nullptr);
}

} // namespace
