//===- Session.cpp - One sequence -----------------------------------------===//

#include "runtime/Engine/Session.h"

#include "runtime/Error.h"

#include <algorithm>
#include <utility>

using namespace llamart;

Session::Session(std::shared_ptr<Engine> shared, uint64_t number)
    : engine(std::move(shared)), number(number), cache(engine->pool) {}

Session::~Session() {
  std::lock_guard guard(engine->lock);
  cache.truncate(0);
}

std::unique_ptr<Session> Session::fork(uint64_t forkNumber) const {
  auto result = std::make_unique<Session>(engine, forkNumber);
  result->history = history;
  result->promptLength = promptLength;
  result->logits = logits;
  result->attention = attention;
  result->stateOwner = stateOwner;
  result->state = state ? state->clone() : nullptr;
  std::lock_guard guard(engine->lock);
  result->cache = cache.fork();
  return result;
}

void Session::truncate(int64_t length) {
  if (length < 0 || length > getLength())
    throw Error(ErrorKind::Argument, "cannot cut a session of ", getLength(),
                " positions to ", length);
  std::lock_guard guard(engine->lock);
  cache.truncate(length);
  history.resize(length);
  promptLength = std::min<size_t>(promptLength, length);
  logits = Logits();
  attention = Attention();
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
  size_t vocab = engine->getModel().getInfo().vocab;
  sampler->observePrompt({logits.data, logits.rows * vocab}, logits.rows,
                         state.get());
}

int32_t Session::sample(const std::shared_ptr<const Sampler> &sampler,
                        SampleTrace *trace) {
  if (logits.rows == 0)
    throw Error(ErrorKind::Argument,
                "nothing to sample from: the session has no logits");
  useState(sampler);
  size_t vocab = engine->getModel().getInfo().vocab;
  SampleInput input;
  input.logits = {logits.data + (logits.rows - 1) * vocab, vocab};
  input.history = history;
  input.promptLength = promptLength;
  input.sequence = number;
  input.position = getLength();
  input.attention = attention.scores;
  return sampler->sample(input, state.get(), trace);
}

void Session::reserve(size_t count) {
  size_t needed = history.size() + count;
  if (needed > history.capacity())
    history.reserve(std::max(needed, 2 * history.capacity()));
}

void Session::append(std::span<const int32_t> ids, Source source) noexcept {
  history.insert(history.end(), ids.begin(), ids.end());
  if (source == Source::Prompt)
    promptLength = history.size();
}
