//===- Logprobs.cpp - Log-probabilities and ranks of tokens ---------------===//

#include "runtime/Sampler/Logprobs.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace llamart;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

static double readLogit(float logit) {
  return std::isnan(logit) ? -kInfinity : double(logit);
}

/// logit - largest, where infinity - infinity is 0.
static double getDistance(float logit, double largest) {
  double value = readLogit(logit);
  return value == largest ? 0.0 : value - largest;
}

Logprobs::Logprobs(std::span<const float> logits)
    : logits(logits), largest(-kInfinity) {
  for (float logit : logits)
    largest = std::max(largest, readLogit(logit));
  double sum = 0.0;
  for (float logit : logits)
    sum += std::exp(getDistance(logit, largest));
  logSum = std::log(sum);
}

double Logprobs::getLogprob(int32_t id) const {
  if (largest == -kInfinity) // nothing is possible
    return -kInfinity;
  return getDistance(logits[id], largest) - logSum;
}

bool Logprobs::isBefore(int32_t a, int32_t b) const {
  double first = readLogit(logits[a]), second = readLogit(logits[b]);
  return first > second || (first == second && a < b);
}

TokenLogprob Logprobs::get(int32_t id) const {
  if (id < 0 || size_t(id) >= logits.size())
    throw Error(ErrorKind::Argument, "id is ", id, ", expected 0 to ",
                logits.size() - 1);
  int32_t rank = 0;
  for (size_t other = 0; other < logits.size(); ++other)
    rank += isBefore(int32_t(other), id);
  return {id, rank, getLogprob(id)};
}

std::vector<TokenLogprob> Logprobs::getTop(size_t count) const {
  std::vector<int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  count = std::min(count, ids.size());
  std::partial_sort(ids.begin(), ids.begin() + ptrdiff_t(count), ids.end(),
                    [&](int32_t a, int32_t b) { return isBefore(a, b); });
  std::vector<TokenLogprob> result;
  result.reserve(count);
  for (size_t rank = 0; rank < count; ++rank)
    result.push_back({ids[rank], int32_t(rank), getLogprob(ids[rank])});
  return result;
}
