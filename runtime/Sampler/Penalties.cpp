//===- Penalties.cpp - What repeats itself becomes less likely ------------===//

#include "runtime/Sampler/Penalties.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <vector>

namespace llamart {
namespace {

std::span<const int32_t> takeLast(std::span<const int32_t> history,
                                  int32_t window) {
  if (window < 0 || history.size() <= size_t(window))
    return history;
  return history.last(size_t(window));
}

/// How many of the last tokens come after the last breaker: it and what stands
/// before it are not part of a repetition. The whole history if there is none.
size_t countUnbroken(std::span<const int32_t> history,
                     const std::vector<DryBreaker> &breakers) {
  std::unordered_multimap<int32_t, const DryBreaker *> byToken;
  for (const DryBreaker &breaker : breakers)
    byToken.emplace(breaker.token, &breaker);
  for (size_t after = 0; after < history.size(); ++after) {
    std::span<const int32_t> rest = history.last(after);
    auto [first, last] =
        byToken.equal_range(history[history.size() - 1 - after]);
    size_t longest = 0;
    bool found = false;
    for (auto at = first; at != last; ++at) {
      const std::vector<int32_t> &tail = at->second->tail;
      if (tail.size() <= after &&
          std::equal(tail.begin(), tail.end(), rest.begin())) {
        found = true;
        longest = std::max(longest, tail.size());
      }
    }
    if (found)
      return after - longest;
  }
  return history.size();
}

/// result[k]: how many tokens at the end of the history also stand at its end
/// without the last k (the Z function of the history read backwards). Linear.
std::vector<int32_t> matchShifted(std::span<const int32_t> history) {
  size_t size = history.size();
  auto at = [&](size_t back) { return history[size - 1 - back]; };
  std::vector<int32_t> match(size, 0);
  size_t left = 0, right = 0; // [left, right) is known to match the beginning
  for (size_t k = 1; k < size; ++k) {
    size_t length = 0;
    if (k < right)
      length = std::min(right - k, size_t(match[k - left]));
    while (k + length < size && at(length) == at(k + length))
      ++length;
    match[k] = static_cast<int32_t>(length);
    if (k + length > right) {
      left = k;
      right = k + length;
    }
  }
  return match;
}

} // namespace

bool hasPenalties(const SamplerOptions &options) {
  return options.penaltyWindow != 0 &&
         (options.repeatPenalty != 1.0f || options.frequencyPenalty != 0.0f ||
          options.presencePenalty != 0.0f);
}

bool hasDry(const SamplerOptions &options) {
  return options.dryMultiplier != 0.0f && options.dryBase >= 1.0f &&
         options.dryWindow != 0;
}

std::unordered_map<int32_t, int32_t>
countRecent(std::span<const int32_t> history, const SamplerOptions &options) {
  std::unordered_map<int32_t, int32_t> counts;
  for (int32_t id : takeLast(history, options.penaltyWindow))
    ++counts[id];
  return counts;
}

std::unordered_map<int32_t, int32_t>
findRepetitions(std::span<const int32_t> history,
                const SamplerOptions &options) {
  history = takeLast(history, options.dryWindow);
  std::unordered_map<int32_t, int32_t> longest;
  if (history.size() <= size_t(options.dryAllowedLength))
    return longest;
  auto limit =
      static_cast<int32_t>(countUnbroken(history, options.dryBreakers));
  if (limit < options.dryAllowedLength)
    return longest;
  std::vector<int32_t> match = matchShifted(history);
  for (size_t k = 1; k < match.size(); ++k) {
    int32_t length = std::min(match[k], limit);
    if (length < options.dryAllowedLength)
      continue;
    // The token that came after the earlier occurrence.
    int32_t &known = longest[history[history.size() - k]];
    known = std::max(known, length);
  }
  return longest;
}

double getDryPenalty(int32_t length, const SamplerOptions &options) {
  // Not beyond the largest float: e^88.7.
  double base = options.dryBase;
  double most = base > 1.000001 ? std::floor(std::log(FLT_MAX) / std::log(base))
                                : double(INT32_MAX);
  double exponent = std::min(double(length - options.dryAllowedLength), most);
  return double(options.dryMultiplier) * std::pow(base, exponent);
}

} // namespace llamart
