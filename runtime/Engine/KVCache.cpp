//===- KVCache.cpp - Keys and values of all sequences ---------------------===//

#include "runtime/Engine/KVCache.h"

#include "runtime/Error.h"
#include "runtime/abi/LlamaABI.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

using namespace llamart;

// Free blocks up to this many bytes keep their pages: enough that sequences
// that come and go do not fault them in again, little next to a model.
static constexpr uint64_t kWarmBytes = 64 << 20;

static int64_t getBlockCount(int64_t positions) {
  return (positions + LLAMA_KV_BLOCK - 1) / LLAMA_KV_BLOCK;
}

//===----------------------------------------------------------------------===//
// KVPool
//===----------------------------------------------------------------------===//

// Address space for `capacity` blocks. A huge page may commit 2 MiB at the
// first write, so they are asked for only where a block is no smaller. (K7)
static Pages reserveBlocks(int64_t capacity, uint64_t blockBytes) {
  HugePages hugePages =
      blockBytes >= kHugePage ? HugePages::Advised : HugePages::Never;
  return Pages::reserve(capacity * blockBytes, hugePages);
}

KVPool::KVPool(uint64_t blockBytes, uint64_t budgetBytes)
    : blockBytes(blockBytes), warmLimit(kWarmBytes / blockBytes) {
  bool byDefault = budgetBytes == 0;
  if (byDefault)
    budgetBytes = getPhysicalMemory() / 2;
  uint64_t count = std::min<uint64_t>(budgetBytes / blockBytes, INT32_MAX);
  if (count == 0)
    throw Error(ErrorKind::Cache, "KV cache: a budget of ", budgetBytes,
                " bytes is less than one block of ", blockBytes);
  pages = reserveBlocks(count, blockBytes);
  // Where address space is rationed, the default is what can be had.
  while (!pages && byDefault && count > 1)
    pages = reserveBlocks(count /= 2, blockBytes);
  if (!pages)
    throw Error(ErrorKind::Memory, "KV cache: cannot reserve ",
                count * blockBytes, " bytes of address space");
  capacity = count;
}

KVPool::~KVPool() { assert(used == 0 && "a sequence outlived its pool"); }

void KVPool::push(FreeList &list, int32_t block) noexcept {
  blocks[block].next = std::exchange(list.first, block);
  ++list.size;
}

int32_t KVPool::pop(FreeList &list) noexcept {
  int32_t block = list.first;
  list.first = blocks[block].next;
  --list.size;
  return block;
}

int32_t KVPool::acquire() {
  if (used == capacity && !(reclaimer && reclaimer->reclaimBlock())) // (K8)
    throw Error(ErrorKind::Cache, "KV cache: all ", capacity, " blocks of ",
                blockBytes, " bytes are in use; ", LLAMA_KV_BLOCK,
                " more positions need a larger budget or fewer sequences");
  int32_t block;
  if (warm.size > 0) {
    block = pop(warm);
  } else if (cold.size > 0) {
    block = pop(cold);
  } else {
    block = blocks.size();
    blocks.emplace_back();
  }
  blocks[block].owners = 1;
  ++used;
  return block;
}

void KVPool::share(int32_t block) noexcept {
  assert(blocks[block].owners > 0 && "K4: a free block gained an owner");
  ++blocks[block].owners;
}

void KVPool::release(int32_t block) noexcept {
  assert(blocks[block].owners > 0 && "K4: a free block lost an owner");
  if (--blocks[block].owners > 0)
    return;
  --used;
  if (warm.size < warmLimit) {
    push(warm, block);
    return;
  }
  releasePages(getBlock(block), blockBytes); // (K7)
  push(cold, block);
}

int32_t KVPool::copy(int32_t block) {
  int32_t result = acquire();
  std::memcpy(getBlock(result), getBlock(block), blockBytes);
  return result;
}

//===----------------------------------------------------------------------===//
// KVSequence
//===----------------------------------------------------------------------===//

KVSequence KVSequence::fork() const {
  KVSequence result(*pool);
  result.blocks = blocks;
  result.length = length;
  for (int32_t block : blocks)
    pool->share(block); // (K4)
  return result;
}

void KVSequence::truncate(int64_t newLength) noexcept {
  assert(newLength >= 0 && newLength <= length && "truncated to more");
  size_t keep = getBlockCount(newLength);
  while (blocks.size() > keep) { // (K2)
    pool->release(blocks.back());
    blocks.pop_back();
  }
  length = newLength;
}

void KVSequence::adopt(std::span<const int32_t> shared) {
  assert(length == 0 && "adopted into a past of its own");
  blocks.assign(shared.begin(), shared.end());
  for (int32_t block : blocks)
    pool->share(block); // (K4)
  length = int64_t(blocks.size()) * LLAMA_KV_BLOCK;
}

void KVSequence::replaceBlock(int64_t index, int32_t block) noexcept {
  pool->share(block);
  pool->release(std::exchange(blocks[index], block));
}

KVSequence::Growth::Growth(KVSequence &sequence, int64_t positions)
    : sequence(&sequence), newLength(sequence.length + positions) {
  assert(positions > 0 && "grown by nothing");
  KVPool &pool = *sequence.pool;
  size_t count = getBlockCount(newLength); // (K2)
  blocks.reserve(count);
  blocks = sequence.blocks;
  kept = blocks.size();
  try {
    bool partial = sequence.length % LLAMA_KV_BLOCK != 0;
    if (partial && pool.getOwners(blocks.back()) > 1) { // (K5)
      int32_t copy = pool.copy(blocks.back());
      --kept;
      blocks.back() = copy;
    }
    while (blocks.size() < count)
      blocks.push_back(pool.acquire());
  } catch (...) {
    for (; blocks.size() > kept; blocks.pop_back()) // (K6)
      pool.release(blocks.back());
    throw;
  }
}

KVSequence::Growth::Growth(Growth &&other) noexcept
    : sequence(std::exchange(other.sequence, nullptr)),
      newLength(other.newLength), kept(other.kept),
      blocks(std::move(other.blocks)) {}

KVSequence::Growth::~Growth() {
  if (!sequence)
    return;
  for (; blocks.size() > kept; blocks.pop_back()) // (K6)
    sequence->pool->release(blocks.back());
}

void KVSequence::Growth::commit() noexcept {
  std::vector<int32_t> &old = sequence->blocks;
  for (; old.size() > kept; old.pop_back())
    sequence->pool->release(old.back()); // the shared block that was copied
  old = std::move(blocks);
  sequence->length = newLength;
  sequence = nullptr;
}
