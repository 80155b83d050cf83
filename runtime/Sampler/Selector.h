//===- Selector.h - The largest logits, by number or by mass ----*- C++ -*-===//
//
// findTopCount({1, 5, 3, 5}, 2)  =>  {1, 3}
//
// The answer is what sorting would give (largest first, lowest index first if
// equal), listed in ascending order of index. Nothing is sorted: what cannot be
// near the cut is left out first, then the cut is found by counting keys digit
// by digit, most significant first.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_SELECTOR_H
#define LLAMA_RUNTIME_SAMPLER_SELECTOR_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace llamart {

/// Keeps its memory between calls; a result is valid until the next one.
class Selector {
public:
  /// Indices of the `count` largest logits, 1 to logits.size(). A NaN counts as
  /// minus infinity.
  std::span<const uint32_t> findTopCount(std::span<const float> logits,
                                         size_t count);

  /// Indices of the fewest of the largest logits, at least one, whose weights
  /// together reach `mass`. `weights` are those of computeWeights.
  std::span<const uint32_t> findTopMass(std::span<const float> logits,
                                        std::span<const double> weights,
                                        double mass);

private:
  struct Item {
    uint32_t key; ///< ordered as the logits are
    uint32_t index;
  };

  void collectLarge(std::span<const float> logits, size_t count);
  template <typename Weight>
  std::span<const uint32_t> keepLargest(Weight weight, double target);
  template <typename Keeps>
  static void select(const std::vector<Item> &items, Keeps keeps,
                     std::vector<Item> &out);

  std::vector<Item> items;             ///< what may be kept
  std::vector<Item> near, nearer;      ///< what shares the cut's first digits
  std::vector<uint32_t> indices;       ///< the answer
  std::vector<uint32_t> maxima, order; ///< of blocks
};

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_SELECTOR_H
