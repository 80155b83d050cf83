//===- MergeQueue.h - The next pair to merge --------------------*- C++ -*-===//
//
// A priority queue of numbers, smallest first. Long runs of one character give
// it millions of numbers that come nearly in order; those wait in a few sorted
// lanes, which are walked from front to back, and only what fits no lane goes
// into a heap.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_MERGEQUEUE_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_MERGEQUEUE_H

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace llamart {

class MergeQueue {
public:
  bool empty() const {
    return heap.empty() &&
           std::ranges::all_of(lanes, [](const Lane &l) { return l.empty(); });
  }

  void push(uint64_t key) {
    for (Lane &lane : lanes) {
      if (lane.empty())
        lane.clear();
      if (lane.keys.empty() || lane.keys.back() <= key) {
        lane.keys.push_back(key);
        return;
      }
    }
    heap.push_back(key);
    std::ranges::push_heap(heap, std::greater<>());
  }

  /// Takes the smallest number out; the queue must not be empty.
  uint64_t pop() {
    Lane *best = nullptr;
    for (Lane &lane : lanes)
      if (!lane.empty() && (!best || lane.front() < best->front()))
        best = &lane;
    if (best && (heap.empty() || best->front() <= heap.front()))
      return best->keys[best->next++];
    std::ranges::pop_heap(heap, std::greater<>());
    uint64_t key = heap.back();
    heap.pop_back();
    return key;
  }

private:
  struct Lane {
    std::vector<uint64_t> keys; ///< sorted
    size_t next = 0;            ///< those before it have been taken

    bool empty() const { return next == keys.size(); }
    uint64_t front() const { return keys[next]; }
    void clear() {
      keys.clear();
      next = 0;
    }
  };

  std::array<Lane, 3> lanes;
  std::vector<uint64_t> heap;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_MERGEQUEUE_H
