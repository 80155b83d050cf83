//===- PrefixCache.h - Beginnings of past sequences -------------*- C++ -*-===//
//
// ids of a prompt  =>  blocks of the KV cache that hold its keys and values
//
// Full blocks of all sequences stay here when those end, and are found again by
// what they depend on. Rules:
//
//   X1  A block is found only if all its keys and values would come out the same,
//       bit for bit: same block before it, same ids, rows of the same kinds, and
//       same salt. Contents are compared, not their hashes.
//   X2  A block counts as one owner's. (K4)
//   X3  The least recently used go first, those after a block before it, so that
//       whatever is here can be found.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_PREFIXCACHE_H
#define LLAMA_RUNTIME_ENGINE_PREFIXCACHE_H

#include "runtime/Engine/Sequence.h"
#include "runtime/abi/LlamaABI.h"

#include <array>
#include <list>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace llamart {

/// Not thread-safe: its engine's lock guards it.
class PrefixCache final : public Reclaimer {
public:
  /// `limit`: blocks at most. `rowsAlike`: rows of both kinds have the same bits.
  PrefixCache(KVPool &pool, int64_t limit, bool rowsAlike)
      : pool(pool), limit(limit), rowsAlike(rowsAlike) {}
  ~PrefixCache() override;
  PrefixCache(const PrefixCache &) = delete;
  PrefixCache &operator=(const PrefixCache &) = delete;

  bool isOn() const { return limit > 0; }

  /// The blocks of the longest beginning of a prompt that is here.
  std::vector<int32_t> find(std::span<const int32_t> ids,
                            const std::string &salt);

  /// Adds the full blocks of a sequence, as far as there is memory for it. A
  /// block that is here already takes the place of the sequence's own.
  void insert(Sequence &sequence) noexcept;

  /// Blocks that nobody else owns.
  int64_t countUnshared() const;

  bool reclaimBlock() noexcept override;

private:
  /// What a block depends on. (X1)
  struct Key {
    uint64_t parent = 0; ///< number of the entry before it; 0: it is the first
    std::string_view salt; ///< of a first one
    std::span<const int32_t> ids;
    std::span<const RowKind> kinds; ///< empty if they do not matter
    uint64_t hash() const;
  };
  struct Entry {
    uint64_t number, hash, parent;
    std::string salt;
    std::array<int32_t, LLAMA_KV_BLOCK> ids;
    std::vector<RowKind> kinds;
    int32_t block;
  };
  using Entries = std::list<Entry>;

  Entries::iterator look(const Key &key, uint64_t hash);
  Entries::iterator add(const Key &key, uint64_t hash, int32_t block);
  void addBlocks(Sequence &sequence, std::vector<Entries::iterator> &path);
  void touch(std::span<const Entries::iterator> path);
  void eraseLast();

  KVPool &pool;
  int64_t limit;
  bool rowsAlike;
  Entries entries; // most recently used first (X3)
  std::unordered_multimap<uint64_t, Entries::iterator> byHash;
  uint64_t lastNumber = 0;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_PREFIXCACHE_H
