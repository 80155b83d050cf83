//===- PrefixCache.cpp - Beginnings of past sequences ---------------------===//

#include "runtime/Engine/PrefixCache.h"

#include <algorithm>
#include <iterator>
#include <utility>

using namespace llamart;

PrefixCache::~PrefixCache() {
  while (!entries.empty())
    eraseLast();
}

uint64_t PrefixCache::Key::hash() const {
  auto addBytes = [](uint64_t hash, const void *data, size_t bytes) {
    std::string_view view(static_cast<const char *>(data), bytes);
    return (hash ^ std::hash<std::string_view>()(view)) * 0x9E3779B97F4A7C15;
  };
  uint64_t result = addBytes(parent, salt.data(), salt.size());
  result = addBytes(result, ids.data(), ids.size_bytes());
  return addBytes(result, kinds.data(), kinds.size_bytes());
}

PrefixCache::Entries::iterator PrefixCache::look(const Key &key,
                                                 uint64_t hash) {
  auto [first, last] = byHash.equal_range(hash);
  auto found = std::find_if(first, last, [&](const auto &candidate) {
    const Entry &entry = *candidate.second; // (X1)
    return entry.parent == key.parent && entry.salt == key.salt &&
           std::ranges::equal(entry.ids, key.ids) &&
           std::ranges::equal(entry.kinds, key.kinds);
  });
  return found == last ? entries.end() : found->second;
}

PrefixCache::Entries::iterator PrefixCache::add(const Key &key, uint64_t hash,
                                                int32_t block) {
  Entry entry{++lastNumber, hash,
              key.parent,   std::string(key.salt),
              {},           {key.kinds.begin(), key.kinds.end()},
              block};
  std::ranges::copy(key.ids, entry.ids.begin());
  entries.push_front(std::move(entry));
  try {
    byHash.emplace(hash, entries.begin());
  } catch (...) {
    entries.pop_front();
    throw;
  }
  pool.share(block); // (X2)
  return entries.begin();
}

/// The first of the path becomes the most recently used. (X3)
void PrefixCache::touch(std::span<const Entries::iterator> path) {
  for (size_t i = path.size(); i-- > 0;)
    entries.splice(entries.begin(), entries, path[i]);
}

void PrefixCache::eraseLast() {
  auto last = std::prev(entries.end());
  auto [first, end] = byHash.equal_range(last->hash);
  byHash.erase(std::find_if(
      first, end, [&](const auto &entry) { return entry.second == last; }));
  pool.release(last->block);
  entries.erase(last);
}

std::vector<int32_t> PrefixCache::find(std::span<const int32_t> ids,
                                       const std::string &salt) {
  static constexpr auto kPrompt = [] {
    std::array<RowKind, LLAMA_KV_BLOCK> kinds;
    kinds.fill(RowKind::Prefill);
    return kinds;
  }();
  std::vector<Entries::iterator> path;
  std::vector<int32_t> blocks;
  Key key{0, salt, {}, {}};
  if (!rowsAlike)
    key.kinds = kPrompt;
  for (; ids.size() >= LLAMA_KV_BLOCK; ids = ids.subspan(LLAMA_KV_BLOCK)) {
    key.ids = ids.first(LLAMA_KV_BLOCK);
    auto entry = look(key, key.hash());
    if (entry == entries.end())
      break;
    path.push_back(entry);
    blocks.push_back(entry->block);
    key.parent = entry->number;
    key.salt = {};
  }
  touch(path);
  return blocks;
}

void PrefixCache::insert(Sequence &sequence) noexcept {
  std::vector<Entries::iterator> path;
  try {
    addBlocks(sequence, path);
  } catch (const std::bad_alloc &) {
    path.clear();            // then the rest is not found again
    while (!entries.empty()) // and (X3) holds for none
      eraseLast();
  }
  touch(path);
  while (int64_t(entries.size()) > limit)
    eraseLast();
}

/// Adds what is not there; `path` gets the entries of all blocks.
void PrefixCache::addBlocks(Sequence &sequence,
                            std::vector<Entries::iterator> &path) {
  int64_t count = std::min(sequence.cache.getLength() / LLAMA_KV_BLOCK, limit);
  path.reserve(count);
  Key key{0, sequence.salt, {}, {}};
  for (int64_t i = 0; i < count; ++i) {
    int64_t begin = i * LLAMA_KV_BLOCK;
    key.ids = std::span(sequence.history).subspan(begin, LLAMA_KV_BLOCK);
    if (!rowsAlike)
      key.kinds = std::span(sequence.kinds).subspan(begin, LLAMA_KV_BLOCK);
    uint64_t hash = key.hash();
    auto entry = look(key, hash);
    if (entry == entries.end())
      entry = add(key, hash, sequence.cache.getBlocks()[i]);
    else
      sequence.cache.replaceBlock(i, entry->block);
    path.push_back(entry);
    key.parent = entry->number;
    key.salt = {};
  }
}

int64_t PrefixCache::countUnshared() const {
  return std::ranges::count_if(entries, [&](const Entry &entry) {
    return pool.getOwners(entry.block) == 1;
  });
}

bool PrefixCache::reclaimBlock() noexcept {
  auto isUnshared = [&](const Entry &entry) {
    return pool.getOwners(entry.block) == 1;
  };
  auto last = std::find_if(entries.rbegin(), entries.rend(), isUnshared);
  if (last == entries.rend())
    return false;
  // Those behind it are used by sequences, and some may follow on it. (X3)
  uint64_t number = last->number;
  while (entries.back().number != number)
    eraseLast();
  eraseLast();
  return true;
}
