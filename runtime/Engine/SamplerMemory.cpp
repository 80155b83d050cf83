//===- SamplerMemory.cpp - What a sampler remembers of a session ----------===//

#include "runtime/Engine/SamplerMemory.h"

#include <algorithm>
#include <utility>

using namespace llamart;

SamplerState *
SamplerMemory::get(const std::shared_ptr<const Sampler> &sampler) {
  if (owner == sampler)
    return state.get();
  state = saved.empty() ? sampler->makeState() : sampler->loadState(saved);
  owner = sampler;
  choices.clear();
  if (saved.empty())
    certain = 0;
  saved.clear();
  return state.get();
}

SamplerState *
SamplerMemory::getForPrompt(const std::shared_ptr<const Sampler> &sampler,
                            int64_t length) {
  SamplerState *result = get(sampler);
  certain = std::max(certain, length);
  return result;
}

SamplerState *
SamplerMemory::getForChoice(const std::shared_ptr<const Sampler> &sampler,
                            int64_t position) {
  if (!get(sampler))
    return nullptr;
  if (!choices.empty() && choices.back().position == position)
    return state.get(); // chosen again: one place to come back to
  choices.push_back({position, state->clone()});
  if (choices.size() > kChoices) {
    certain = choices.front().position + 1;
    choices.pop_front();
  }
  return state.get();
}

void SamplerMemory::truncate(int64_t length) {
  if (length < certain) {
    *this = SamplerMemory();
    return;
  }
  while (!choices.empty() && choices.back().position >= length) {
    state = std::move(choices.back().before);
    choices.pop_back();
  }
}

SamplerMemory SamplerMemory::clone() const {
  SamplerMemory result;
  result.owner = owner;
  result.state = state ? state->clone() : nullptr;
  for (const Choice &choice : choices)
    result.choices.push_back({choice.position, choice.before->clone()});
  result.certain = certain;
  result.saved = saved;
  return result;
}

std::string SamplerMemory::save() const {
  return state ? state->save() : saved;
}

void SamplerMemory::restore(std::string newSaved, int64_t length) {
  *this = SamplerMemory();
  saved = std::move(newSaved);
  if (!saved.empty())
    certain = length;
}
