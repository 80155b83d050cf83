//===- HuggingFaceWriter.cpp - *.safetensors and config.json --------------===//
//
// Tensors in canonical order under Hugging Face's names, wq and wk half-split.
//
//===----------------------------------------------------------------------===//

#include "weights/TensorNames.h"
#include "weights/Writers/ConfigFiles.h"
#include "weights/Writers/SafetensorsWriter.h"
#include "weights/Writers/Writers.h"

#include "llvm/Support/FormatVariadic.h"

#include <nlohmann/json.hpp>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace llamaweights {
namespace {

// What Hugging Face's own tools put in one file.
constexpr int64_t kShardBytes = 5000000000;

/// Canonical names by shard; a tensor that is larger has one for itself.
std::vector<std::vector<std::string>> makeShards(const WritePlan &plan) {
  std::vector<std::vector<std::string>> shards(1);
  int64_t bytes = 0;
  for (std::string &name : getTensorNames(plan.getConfig(), false)) {
    const TensorInfo &tensor = plan.get(name);
    int64_t more = getStreamedBytes(tensor, plan.getType(tensor));
    if (!shards.back().empty() && bytes + more > kShardBytes) {
      shards.emplace_back();
      bytes = 0;
    }
    bytes += more;
    shards.back().push_back(std::move(name));
  }
  return shards;
}

Error writeShard(const WritePlan &plan, ArrayRef<std::string> names,
                 const OutputFolder &folder, StringRef fileName) {
  auto file = folder.createFile(fileName);
  if (!file)
    return file.takeError();
  std::vector<SafetensorsEntry> entries;
  for (const std::string &name : names) {
    const TensorInfo &tensor = plan.get(name);
    entries.push_back({getSourceName(name, Naming::HuggingFace),
                       plan.getType(tensor), tensor.shape});
  }
  if (Error error = appendSafetensorsHeader(entries, {{"format", "pt"}}, *file))
    return error;
  for (const std::string &name : names) {
    const TensorInfo &tensor = plan.get(name);
    if (Error error = plan.append(tensor, plan.getType(tensor),
                                  /*halfSplit=*/true, *file))
      return error;
  }
  return file->keep();
}

} // namespace

Error writeHuggingFace(const WritePlan &plan, OutputFolder &folder) {
  auto shards = makeShards(plan);
  Json map = Json::object();
  int64_t total = 0;
  for (auto [i, names] : enumerate(shards)) {
    std::string fileName = shards.size() == 1
                               ? "model.safetensors"
                               : formatv("model-{0:d5}-of-{1:d5}.safetensors",
                                         i + 1, shards.size())
                                     .str();
    if (Error error = writeShard(plan, names, folder, fileName))
      return error;
    for (const std::string &name : names) {
      map[getSourceName(name, Naming::HuggingFace)] = fileName;
      const TensorInfo &tensor = plan.get(name);
      total += getStreamedBytes(tensor, plan.getType(tensor));
    }
  }
  if (shards.size() > 1) {
    Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
    if (Error error = folder.writeFile("model.safetensors.index.json",
                                       index.dump(2) + "\n"))
      return error;
  }
  DType type = plan.getType(plan.get("tok_embeddings"));
  return folder.writeFile("config.json",
                          printHuggingFaceConfig(plan.getConfig(), type));
}

} // namespace llamaweights
