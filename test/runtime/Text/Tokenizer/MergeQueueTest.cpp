//===- MergeQueueTest.cpp - The next pair to merge ------------------------===//
//
// Against the standard library's priority queue, with keys that rise, fall,
// repeat and jump.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/MergeQueue.h"

#include <gtest/gtest.h>

#include <queue>
#include <random>

using namespace llamart;

namespace {

TEST(MergeQueue, GivesTheSmallestFirst) {
  std::mt19937_64 random(3);
  for (int kind = 0; kind < 5; ++kind) {
    MergeQueue queue;
    std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> plain;
    for (uint64_t step = 0; step < 20000; ++step) {
      uint64_t key = kind == 0   ? step
                     : kind == 1 ? 100000 - step
                     : kind == 2 ? random() % 50
                     : kind == 3 ? random()
                                 : step % 3 * 100000 + step;
      if (plain.empty() || random() % 5 < 3) {
        queue.push(key);
        plain.push(key);
      } else {
        ASSERT_EQ(queue.pop(), plain.top());
        plain.pop();
      }
      ASSERT_EQ(queue.empty(), plain.empty());
    }
    for (; !plain.empty(); plain.pop())
      ASSERT_EQ(queue.pop(), plain.top());
    EXPECT_TRUE(queue.empty());
  }
}

} // namespace
