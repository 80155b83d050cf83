//===- KVCacheTest.cpp - Rules K1 to K8 of the KV cache -------------------===//

#include "runtime/Engine/KVCache.h"

#include "runtime/Error.h"

#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>

using namespace llamart;

namespace {

constexpr uint64_t kBlock = 4096;

struct Cache : testing::Test {
  KVPool pool{kBlock, 10 * kBlock};

  KVSequence make(int64_t positions) {
    KVSequence sequence(pool);
    if (positions > 0)
      sequence.grow(positions).commit();
    return sequence;
  }
  char *getBlock(int32_t block) { return pool.getData() + block * kBlock; }
};

std::string getErrorOf(KVSequence &sequence, int64_t positions) {
  try {
    sequence.grow(positions);
  } catch (const Error &error) {
    EXPECT_EQ(error.getKind(), ErrorKind::Cache);
    return error.what();
  }
  return "";
}

int64_t countResidentPages(const char *data, uint64_t bytes) {
  uint64_t page = sysconf(_SC_PAGESIZE);
  std::vector<unsigned char> resident(bytes / page);
  EXPECT_EQ(mincore(const_cast<char *>(data), bytes, resident.data()), 0);
  int64_t count = 0;
  for (unsigned char flags : resident)
    count += flags & 1;
  return count;
}

TEST_F(Cache, ASequenceHasTheBlocksItsLengthNeeds) { // K2
  KVSequence sequence = make(0);
  EXPECT_TRUE(sequence.getBlocks().empty());
  for (int64_t length = 1; length <= 200; ++length) {
    sequence.grow(1).commit();
    EXPECT_EQ(sequence.getLength(), length);
    EXPECT_EQ(int64_t(sequence.getBlocks().size()), (length + 63) / 64);
  }
  for (int64_t length : {129, 128, 127, 64, 1, 0}) {
    sequence.truncate(length);
    EXPECT_EQ(int64_t(sequence.getBlocks().size()), (length + 63) / 64);
    EXPECT_EQ(pool.getUsed(), (length + 63) / 64);
  }
}

TEST_F(Cache, ForkingAddsOwnersAndCopiesNothing) { // K4
  KVSequence parent = make(100);
  {
    KVSequence child = parent.fork();
    EXPECT_EQ(child.getLength(), 100);
    EXPECT_EQ(child.getBlocks(), parent.getBlocks());
    EXPECT_EQ(pool.getUsed(), 2);
    EXPECT_EQ(pool.getOwners(parent.getBlocks()[0]), 2);
  }
  EXPECT_EQ(pool.getOwners(parent.getBlocks()[0]), 1);
  EXPECT_EQ(pool.getUsed(), 2);
}

TEST_F(Cache, GrowingIntoASharedBlockCopiesThatBlockOnly) { // K5
  KVSequence parent = make(100);
  std::vector<int32_t> before = parent.getBlocks();
  std::memset(getBlock(before[1]), 0x5a, kBlock);
  KVSequence child = parent.fork();
  child.grow(1).commit();

  EXPECT_EQ(child.getBlocks()[0], before[0]);
  EXPECT_NE(child.getBlocks()[1], before[1]);
  EXPECT_EQ(
      std::memcmp(getBlock(child.getBlocks()[1]), getBlock(before[1]), kBlock),
      0);
  EXPECT_EQ(parent.getBlocks(), before);
  EXPECT_EQ(pool.getOwners(before[1]), 1);

  // Now the parent is alone with its last block and writes in place.
  parent.grow(1).commit();
  EXPECT_EQ(parent.getBlocks(), before);
}

TEST_F(Cache, GrowingBeyondAFullSharedBlockCopiesNothing) { // K5
  KVSequence parent = make(64);
  KVSequence child = parent.fork();
  child.grow(1).commit();
  EXPECT_EQ(child.getBlocks()[0], parent.getBlocks()[0]);
  EXPECT_EQ(pool.getUsed(), 2);
}

TEST_F(Cache, BothSidesOfAForkMayGrowAtTheSameTime) { // K5
  KVSequence parent = make(10);
  KVSequence child = parent.fork();
  int32_t shared = parent.getBlocks()[0];
  {
    KVSequence::Growth one = parent.grow(1), other = child.grow(1);
    EXPECT_NE(one.getBlocks()[0], shared);
    EXPECT_NE(other.getBlocks()[0], shared);
    EXPECT_NE(one.getBlocks()[0], other.getBlocks()[0]);
    one.commit();
    other.commit();
  }
  EXPECT_EQ(pool.getUsed(), 2);
}

TEST_F(Cache, CuttingIntoASharedBlockDoesNotMakeItWritable) { // K5
  KVSequence parent = make(64);
  KVSequence child = parent.fork();
  child.truncate(10);
  child.grow(1).commit();
  EXPECT_NE(child.getBlocks()[0], parent.getBlocks()[0]);
}

TEST_F(Cache, GrowthThatIsNotCommittedChangesNothing) { // K6
  KVSequence parent = make(100);
  KVSequence child = parent.fork();
  std::vector<int32_t> before = child.getBlocks();
  {
    KVSequence::Growth growth = child.grow(200);
    EXPECT_EQ(growth.getBlocks().size(), 5u);
    EXPECT_EQ(pool.getUsed(), 6); // a copy and three more
    KVSequence::Growth moved = std::move(growth);
    EXPECT_EQ(child.getLength(), 100);
    EXPECT_EQ(child.getBlocks(), before);
  }
  EXPECT_EQ(pool.getUsed(), 2);
  EXPECT_EQ(pool.getOwners(before[1]), 2);
}

TEST_F(Cache, ARequestBeyondTheBudgetIsAnErrorAndChangesNothing) { // K8
  KVSequence sequence = make(300);
  EXPECT_EQ(pool.getUsed(), 5);
  EXPECT_EQ(getErrorOf(sequence, 341),
            "KV cache: all 10 blocks of 4096 bytes are in use; 64 more "
            "positions need a larger budget or fewer sequences");
  EXPECT_EQ(sequence.getLength(), 300);
  EXPECT_EQ(pool.getUsed(), 5);
  EXPECT_EQ(getErrorOf(sequence, 340), "");
}

TEST_F(Cache, AFreedBlockIsUsedAgain) {
  for (int round = 0; round < 20; ++round)
    make(600);
  EXPECT_EQ(pool.getUsed(), 0);
  EXPECT_EQ(pool.getCapacity(), 10);
}

TEST(CachePages, AreCommittedByTheFirstWrite) { // K7
  KVPool pool(1 << 20, 64 << 20);
  EXPECT_EQ(countResidentPages(pool.getData(), 64 << 20), 0);
  KVSequence sequence(pool);
  sequence.grow(640).commit();
  EXPECT_EQ(countResidentPages(pool.getData(), 64 << 20), 0);
  pool.getData()[0] = 1; // a page, or a huge one if the system likes those
  int64_t committed = countResidentPages(pool.getData(), 64 << 20);
  EXPECT_GE(committed, 1);
  EXPECT_LE(committed, int64_t(kHugePage) / sysconf(_SC_PAGESIZE));
}

TEST(CachePages, OfFreeBlocksGoBackToTheSystemBeyondABound) { // K7
  constexpr uint64_t kBytes = 1 << 20, kBound = 64 << 20, kAll = 80 << 20;
  KVPool pool(kBytes, kAll);
  KVSequence sequence(pool);
  sequence.grow(80 * 64).commit();
  std::memset(pool.getData(), 1, kAll);
  int64_t page = sysconf(_SC_PAGESIZE);
  EXPECT_EQ(countResidentPages(pool.getData(), kAll), int64_t(kAll) / page);
  sequence.truncate(0);
  EXPECT_EQ(countResidentPages(pool.getData(), kAll), int64_t(kBound) / page);
  sequence.grow(80 * 64).commit(); // warm and cold blocks are all there
  EXPECT_EQ(pool.getUsed(), 80);
}

TEST(CacheBudget, OfLessThanABlockIsAnError) {
  try {
    KVPool pool(4096, 4095);
    FAIL() << "no error";
  } catch (const Error &error) {
    EXPECT_STREQ(error.what(), "KV cache: a budget of 4095 bytes is less than "
                               "one block of 4096");
  }
}

TEST(CacheBudget, IsHalfOfTheMemoryByDefault) {
  KVPool pool(4096, 0);
  EXPECT_EQ(pool.getCapacity() * 4096 / 4096,
            int64_t(getPhysicalMemory() / 2 / 4096));
}

} // namespace
