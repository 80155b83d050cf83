//===- ShardIndex.cpp - One file, or an index of several ------------------===//
//
// Reads the index, then every shard once, and compares the two.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/ShardIndex.h"

#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"
#include "weights/TensorNames.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

/// Tensor name => name of the shard, out of an index.
Expected<std::vector<std::pair<std::string, std::string>>>
readIndex(StringRef path) {
  Expected<json> parsed = readJsonFile(path);
  if (!parsed)
    return parsed.takeError();
  std::vector<std::pair<std::string, std::string>> entries;
  JsonObject object(path, *parsed);
  object.allow({"metadata"});
  if (auto map = object.readObject("weight_map")) {
    for (const auto &[name, ignored] : object.get("weight_map")->items()) {
      std::string shard;
      map->read(name, shard);
      if (sys::path::filename(shard) != shard || shard.empty() ||
          shard == "." || shard == ".." || shard.find('\0') != shard.npos)
        map->fail(name, "expected the name of a file in the same folder, "
                        "found " +
                            quote(shard));
      entries.emplace_back(name, std::move(shard));
    }
    object.absorb(*map);
  }
  if (Error error = object.finish())
    return std::move(error);
  return entries;
}

Error readShards(StringRef folder, StringRef indexPath,
                 ArrayRef<std::pair<std::string, std::string>> index,
                 LinkPolicy links, ShardReader readShard,
                 std::vector<StoredTensor> &tensors) {
  StringMap<StringRef> shardOf; // of each tensor, by the index
  StringMap<bool> opened;
  for (const auto &[name, shard] : index)
    shardOf[dropWrappers(name)] = shard;
  for (const auto &[ignored, shard] : index) {
    if (!opened.try_emplace(shard, true).second)
      continue;
    std::string path = getPathIn(folder, shard);
    auto file = openInFolder(folder, shard, links);
    if (!file)
      return file.takeError();
    auto stored = readShard(*file);
    if (!stored)
      return stored.takeError();
    for (StoredTensor &tensor : *stored) {
      // Some readers have dropped the wrappers already.
      auto listed = shardOf.find(dropWrappers(tensor.name));
      if (listed == shardOf.end() || listed->second != shard)
        return makeInputError(
            path, "tensor " + quote(tensor.name) + ": is not what " +
                      sys::path::filename(indexPath) + " lists for this file");
      shardOf.erase(listed);
      tensors.push_back(std::move(tensor));
    }
  }
  for (const auto &[name, shard] : index)
    if (shardOf.contains(dropWrappers(name)))
      return makeInputError(indexPath, "tensor " + quote(name) +
                                           ": is not in " + quote(shard));
  return Error::success();
}

} // namespace

Expected<std::vector<StoredTensor>>
readShardedFolder(StringRef folder, StringRef singleName, StringRef indexName,
                  LinkPolicy links, ShardReader readShard) {
  if (sys::fs::exists(getPathIn(folder, singleName))) {
    auto file = openInFolder(folder, singleName, links);
    if (!file)
      return file.takeError();
    return readShard(*file);
  }
  std::string path = getPathIn(folder, indexName);
  auto index = readIndex(path);
  if (!index)
    return index.takeError();
  std::vector<StoredTensor> tensors;
  if (Error error = readShards(folder, path, *index, links, readShard, tensors))
    return std::move(error);
  return tensors;
}

} // namespace llamaweights
