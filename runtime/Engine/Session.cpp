//===- Session.cpp - One sequence -----------------------------------------===//

#include "runtime/Engine/Session.h"

#include "runtime/Error.h"

#include <utility>

using namespace llamart;

Session::Session(std::shared_ptr<Engine> shared, uint64_t number,
                 Sequence sequence)
    : engine(std::move(shared)), number(number), sequence(std::move(sequence)) {
}

Session::Session(const std::shared_ptr<Engine> &engine, SessionOptions options)
    : Session(engine, options.number,
              engine->makeSequence(std::move(options.salt))) {}

Session::~Session() { engine->close(sequence); }

std::unique_ptr<Session> Session::fork(uint64_t forkNumber) const {
  std::unique_ptr<Session> result(
      new Session(engine, forkNumber, engine->fork(sequence)));
  result->memory = memory.clone();
  return result;
}

void Session::truncate(int64_t length) {
  if (length < 0 || length > getLength())
    throw Error(ErrorKind::Argument, "cannot cut a session of ", getLength(),
                " positions to ", length);
  engine->truncate(sequence, length);
  memory.truncate(length);
}

std::span<const float> Session::getLogits(int64_t row) const {
  const Logits &logits = getLogits();
  if (logits.rows == 0)
    throw Error(ErrorKind::Argument, "the session has no logits");
  if (row < -1 || row >= logits.rows)
    throw Error(ErrorKind::Argument, "row is ", row, ", expected 0 to ",
                logits.rows - 1, ", or -1 for the last");
  size_t vocab = engine->getModel().getInfo().vocab;
  return {logits.data + (row < 0 ? logits.rows - 1 : row) * vocab, vocab};
}

AttentionScores Session::getAttention(int64_t row) const {
  int64_t rows = getLogits().rows;
  if (row < -1 || row >= rows)
    return {};
  return sequence.getScores(row < 0 ? rows - 1 : row);
}

void Session::observe(const std::shared_ptr<const Sampler> &sampler) {
  const Logits &logits = getLogits();
  size_t vocab = engine->getModel().getInfo().vocab;
  sampler->observePrompt({logits.data, logits.rows * vocab}, logits.rows,
                         memory.getForPrompt(sampler, getLength()));
}

int32_t Session::sample(const std::shared_ptr<const Sampler> &sampler,
                        SampleTrace *trace) {
  if (getLogits().rows == 0)
    throw Error(ErrorKind::Argument,
                "nothing to sample from: the session has no logits");
  SampleInput input;
  input.logits = getLogits(-1);
  input.history = getHistory();
  input.promptLength = sequence.promptLength;
  input.sequence = number;
  input.position = getLength();
  input.attention = getAttention();
  return sampler->sample(input, memory.getForChoice(sampler, getLength()),
                         trace);
}

Session::Use::Use(std::shared_ptr<Session> given) : session(std::move(given)) {
  if (session->inUse.exchange(true)) {
    session = nullptr;
    throw Error(ErrorKind::Argument, "the session is in another job");
  }
}

Session::Use::~Use() {
  if (session)
    session->inUse = false;
}
