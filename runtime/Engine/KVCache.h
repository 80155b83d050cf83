//===- KVCache.h - Keys and values of all sequences -------------*- C++ -*-===//
//
// One pool of blocks; a sequence is a table of block numbers.
//
//   K1  A block holds LLAMA_KV_BLOCK positions of a sequence, for all layers.
//   K2  A sequence of length n has exactly ceil(n / LLAMA_KV_BLOCK) blocks.
//   K3  Positions [0, n) hold keys already rotated for their position, and
//       values; what lies beyond n is garbage.
//   K4  A block has as many owners as tables name it. Forking adds owners and
//       copies nothing.
//   K5  A block with more than one owner is not written: a sequence that grows
//       into one gets a copy first. Only its last, partly filled block can be.
//   K6  Growth counts when it is committed. Until then the sequence, its length
//       and its table are what they were, and so they stay if it fails.
//   K7  Pages are committed by the first write to them. Free blocks keep theirs
//       up to a bound; beyond it pages go back to the system.
//   K8  No more than the budget's blocks are ever in use; a request for more is
//       an error and changes nothing but what a Reclaimer held.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_KVCACHE_H
#define LLAMA_RUNTIME_ENGINE_KVCACHE_H

#include "runtime/Model/Memory.h"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace llamart {

/// Holds blocks that it can do without.
class Reclaimer {
public:
  virtual ~Reclaimer() = default;
  /// Gives up blocks until one is free; false if none can be.
  virtual bool reclaimBlock() noexcept = 0;
};

/// The blocks. Not thread-safe: its engine's lock guards it.
class KVPool {
public:
  /// `budgetBytes` 0: half of the machine's memory. Throws Error(Cache) if the
  /// budget is less than a block, Error(Memory) if the address space cannot be
  /// had.
  KVPool(uint64_t blockBytes, uint64_t budgetBytes);
  KVPool(const KVPool &) = delete;
  KVPool &operator=(const KVPool &) = delete;
  ~KVPool();

  /// [capacity, layers, 2, kvHeads, LLAMA_KV_BLOCK, headDim]
  char *getData() const { return pages.getData(); }
  int64_t getCapacity() const { return capacity; }
  int64_t getUsed() const { return used; }
  uint64_t getBlockBytes() const { return blockBytes; }
  int64_t getOwners(int32_t block) const { return blocks[block].owners; }

  /// Who is asked for a block when all are in use; null: nobody.
  void setReclaimer(Reclaimer *newReclaimer) { reclaimer = newReclaimer; }

  /// A block with one owner and undefined contents. Throws Error(Cache). (K8)
  int32_t acquire();

  /// Adds, removes an owner. (K4)
  void share(int32_t block) noexcept;
  void release(int32_t block) noexcept;

  /// A new block with the bytes of another. Throws Error(Cache).
  int32_t copy(int32_t block);

  char *getBlock(int32_t block) const {
    return getData() + uint64_t(block) * blockBytes;
  }

private:
  struct Block {
    int32_t owners = 0;
    int32_t next = -1; // in a list of free blocks
  };
  struct FreeList {
    int32_t first = -1;
    int64_t size = 0;
  };
  void push(FreeList &list, int32_t block) noexcept;
  int32_t pop(FreeList &list) noexcept;

  uint64_t blockBytes;
  Pages pages;
  int64_t capacity = 0;      // blocks in the budget
  int64_t used = 0;          // blocks with an owner
  int64_t warmLimit;         // free blocks that may keep their pages
  std::vector<Block> blocks; // as many as were ever used at once
  FreeList warm, cold;
  Reclaimer *reclaimer = nullptr;
};

class KVSequence {
public:
  explicit KVSequence(KVPool &pool) : pool(&pool) {}
  KVSequence(KVSequence &&other) noexcept : pool(other.pool) { swap(other); }
  KVSequence &operator=(KVSequence &&other) noexcept {
    swap(other);
    return *this;
  }
  ~KVSequence() { truncate(0); }

  int64_t getLength() const { return length; }
  const std::vector<int32_t> &getBlocks() const { return blocks; }

  /// A second sequence with the same contents. (K4)
  KVSequence fork() const;

  /// Forgets the positions from `newLength` on, which is at most the length.
  void truncate(int64_t newLength) noexcept;

  /// Takes over full blocks of others; the sequence is empty. (K4)
  void adopt(std::span<const int32_t> shared);

  /// Owns another block in place of its `index`th, with the same contents.
  void replaceBlock(int64_t index, int32_t block) noexcept;

  /// Room for more positions, not yet part of the sequence. (K5, K6) The
  /// sequence must stay where it is and unchanged while a Growth of it lives.
  class Growth {
  public:
    Growth(Growth &&other) noexcept;
    Growth &operator=(Growth &&other) = delete;
    ~Growth(); ///< gives back what was not committed

    /// The table as it will be; all blocks from the old length on are ours
    /// alone.
    const std::vector<int32_t> &getBlocks() const { return blocks; }

    /// Makes the growth part of the sequence.
    void commit() noexcept;

  private:
    friend class KVSequence;
    Growth(KVSequence &sequence, int64_t positions);

    KVSequence *sequence; // null once committed or moved from
    int64_t newLength;
    size_t kept = 0; // leading entries of `blocks` that the sequence owns
    std::vector<int32_t> blocks;
  };

  /// Throws Error(Cache) and changes nothing if the pool has too few blocks.
  Growth grow(int64_t positions) { return Growth(*this, positions); }

private:
  void swap(KVSequence &other) noexcept {
    std::swap(pool, other.pool);
    std::swap(length, other.length);
    std::swap(blocks, other.blocks);
  }

  KVPool *pool;
  int64_t length = 0;
  std::vector<int32_t> blocks;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_KVCACHE_H
