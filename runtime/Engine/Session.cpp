//===- Session.cpp - One sequence -----------------------------------------===//

#include "runtime/Engine/Session.h"

#include "runtime/Error.h"

#include <utility>

using namespace llamart;

Session::Session(std::shared_ptr<Engine> shared, uint64_t number,
                 Sequence sequence)
    : engine(std::move(shared)), number(number), sequence(std::move(sequence)) {
}

Session::Session(const std::shared_ptr<Engine> &engine, uint64_t number)
    : Session(engine, number, engine->makeSequence()) {}

Session::~Session() { engine->release(sequence); }

std::unique_ptr<Session> Session::fork(uint64_t forkNumber) const {
  std::unique_ptr<Session> result(
      new Session(engine, forkNumber, engine->fork(sequence)));
  result->stateOwner = stateOwner;
  result->state = state ? state->clone() : nullptr;
  return result;
}

void Session::truncate(int64_t length) {
  if (length < 0 || length > getLength())
    throw Error(ErrorKind::Argument, "cannot cut a session of ", getLength(),
                " positions to ", length);
  engine->truncate(sequence, length);
  stateOwner = nullptr;
  state = nullptr;
}

void Session::useState(const std::shared_ptr<const Sampler> &sampler) {
  if (stateOwner == sampler)
    return;
  state = sampler->makeState();
  stateOwner = sampler;
}

void Session::observe(const std::shared_ptr<const Sampler> &sampler) {
  useState(sampler);
  const Logits &logits = getLogits();
  size_t vocab = engine->getModel().getInfo().vocab;
  sampler->observePrompt({logits.data, logits.rows * vocab}, logits.rows,
                         state.get());
}

int32_t Session::sample(const std::shared_ptr<const Sampler> &sampler,
                        SampleTrace *trace) {
  const Logits &logits = getLogits();
  if (logits.rows == 0)
    throw Error(ErrorKind::Argument,
                "nothing to sample from: the session has no logits");
  useState(sampler);
  size_t vocab = engine->getModel().getInfo().vocab;
  SampleInput input;
  input.logits = {logits.data + (logits.rows - 1) * vocab, vocab};
  input.history = getHistory();
  input.promptLength = sequence.promptLength;
  input.sequence = number;
  input.position = getLength();
  input.attention = getAttention();
  return sampler->sample(input, state.get(), trace);
}
