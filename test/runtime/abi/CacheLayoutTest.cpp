//===- CacheLayoutTest.cpp - Bytes of the KV cache ------------------------===//

#include "runtime/abi/CacheLayout.h"

#include <gtest/gtest.h>

using namespace llamaabi;

namespace {

TEST(CacheLayout, HasAScaleAfterIntegersOnly) {
  EXPECT_EQ(getCachedBytes("int8", 64), 66u);
  EXPECT_EQ(getCachedBytes("bf16", 64), 128u);
  EXPECT_EQ(getCachedBytes("f32", 64), 256u);
}

TEST(CacheLayout, HasKeysAndValuesOfAllLayersInABlock) {
  EXPECT_EQ(getCacheBlockBytes("f32", 2, 3, 4), 2u * 2 * 3 * 64 * 16);
}

} // namespace
