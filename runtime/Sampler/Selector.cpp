//===- Selector.cpp - The largest logits, by number or by mass ------------===//

#include "runtime/Sampler/Selector.h"

#include "runtime/Sampler/Distribution.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <limits>

namespace llamart {
namespace {

/// A number that orders logits as they are ordered, -0 equal to 0.
uint32_t getOrderKey(float logit) {
  if (logit != logit)
    logit = -std::numeric_limits<float>::infinity();
  auto bits = std::bit_cast<uint32_t>(logit + 0.0f); // -0 becomes 0
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

/// Digits of a key, the most significant first.
struct Digit {
  unsigned shift, bits;
  uint32_t operator()(uint32_t key) const {
    return key >> shift & ((1u << bits) - 1);
  }
};
constexpr std::array<Digit, 3> kDigits = {Digit{21, 11}, Digit{10, 11},
                                          Digit{0, 10}};

/// Items counted and weighed by one digit of their keys.
struct Buckets {
  std::array<double, 2048> weights = {};
  std::array<uint32_t, 2048> counts = {};

  void add(uint32_t bucket, double weight) {
    weights[bucket] += weight;
    ++counts[bucket];
  }

  /// The bucket in which `above` and the buckets from the largest down reach
  /// `target`; `above` grows by those before it. If none does, as rounding may
  /// have it, the smallest bucket, and there is no target any more.
  uint32_t findCut(double &above, double &target) const {
    uint32_t last = 0;
    for (auto b = static_cast<uint32_t>(counts.size()); b-- > 0;) {
      if (counts[b] == 0)
        continue;
      last = b;
      if (above + weights[b] >= target)
        return b;
      above += weights[b];
    }
    above -= weights[last];
    target = std::numeric_limits<double>::infinity();
    return last;
  }
};

} // namespace

/// Copies the items for which `keeps` holds. Without branches, which could not
/// be predicted.
template <typename Keeps>
void Selector::select(const std::vector<Item> &items, Keeps keeps,
                      std::vector<Item> &out) {
  out.resize(items.size() + 1);
  size_t count = 0;
  for (const Item &item : items) {
    out[count] = item;
    count += keeps(item);
  }
  out.resize(count);
}

/// Of `items`, the fewest with the largest keys whose weights, weight(i) for
/// index i, together reach `target`. Equal keys must have equal weights.
template <typename Weight>
std::span<const uint32_t> Selector::keepLargest(Weight weight, double target) {
  double above = 0.0; // weight of what is certainly kept
  const std::vector<Item> *candidates = &items;
  for (Digit digit : kDigits) {
    Buckets buckets;
    for (const Item &item : *candidates)
      buckets.add(digit(item.key), weight(item.index));
    uint32_t cut = buckets.findCut(above, target);
    select(
        *candidates, [&](Item item) { return digit(item.key) == cut; }, nearer);
    std::swap(near, nearer);
    candidates = &near;
  }
  size_t equal = 0; // so many of those that stand at the cut
  while (equal < near.size() && (equal == 0 || above < target))
    above += weight(near[equal++].index);

  auto [key, lastIndex] = near[equal - 1];
  indices.resize(items.size() + 1);
  size_t count = 0;
  for (const Item &item : items) {
    indices[count] = item.index;
    count += item.key > key || (item.key == key && item.index <= lastIndex);
  }
  return {indices.data(), count};
}

/// Makes `items` those that are certainly the `count` largest and perhaps some
/// more: at least `count` logits reach the count-th largest maximum of a block.
void Selector::collectLarge(std::span<const float> logits, size_t count) {
  constexpr size_t kBlock = 64;
  maxima.clear();
  for (size_t at = 0; at < logits.size(); at += kBlock)
    maxima.push_back(getOrderKey(
        getLargest(logits.subspan(at, std::min(kBlock, logits.size() - at)))));
  uint32_t limit = 0;
  if (count <= maxima.size()) {
    order = maxima;
    std::ranges::nth_element(order, order.begin() + (count - 1),
                             std::greater<>());
    limit = order[count - 1];
  }
  items.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (maxima[i / kBlock] < limit) {
      i |= kBlock - 1; // to the end of the block
      continue;
    }
    if (uint32_t key = getOrderKey(logits[i]); key >= limit)
      items.push_back({key, static_cast<uint32_t>(i)});
  }
}

std::span<const uint32_t> Selector::findTopCount(std::span<const float> logits,
                                                 size_t count) {
  collectLarge(logits, count);
  return keepLargest([](uint32_t) { return 1.0; }, double(count));
}

std::span<const uint32_t> Selector::findTopMass(std::span<const float> logits,
                                                std::span<const double> weights,
                                                double mass) {
  // All weights below this limit together are less than what may be left out
  // (half of it, to be safe from rounding).
  double limit =
      0.5 * (sumWeights(weights) - mass) / static_cast<double>(weights.size());
  items.resize(logits.size() + 1);
  size_t count = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    items[count] = {getOrderKey(logits[i]), static_cast<uint32_t>(i)};
    count += weights[i] >= limit;
  }
  items.resize(count);
  return keepLargest([&](uint32_t i) { return weights[i]; }, mass);
}

} // namespace llamart
