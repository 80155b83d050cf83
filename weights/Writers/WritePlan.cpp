//===- WritePlan.cpp - What a writer is to write, and how -----------------===//
//
// What the writers have in common.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/WritePlan.h"

#include "weights/TensorNames.h"

#include <cassert>

using namespace llvm;

namespace llamaweights {

const TensorInfo &WritePlan::get(StringRef name) const {
  bool isTied = name == "output" && getConfig().tiedEmbeddings;
  const TensorInfo *tensor =
      getCheckpoint().find(isTied ? "tok_embeddings" : name);
  assert(tensor && "a checkpoint has every tensor of its hyper-parameters");
  return *tensor;
}

DType WritePlan::getType(const TensorInfo &tensor) const {
  DType type = dtype.value_or(tensor.dtype);
  assert(!isQuantized(type) && "refused before anything is written");
  return type;
}

Error WritePlan::append(const TensorInfo &tensor, DType type, bool halfSplit,
                        OutputFile &file) const {
  RowFormat format = {
      type, halfSplit && hasRopePairs(tensor.name) ? getConfig().headDim : 0};
  return streamRows(getCheckpoint(), tensor, format,
                    [&](ArrayRef<char> bytes) -> Error {
                      if (Error error = file.append(bytes))
                        return error;
                      return progress(int64_t(bytes.size()));
                    });
}

std::vector<std::string> getTensorNames(const ModelConfig &config,
                                        bool withOutput) {
  std::vector<std::string> names;
  for (ExpectedTensor &tensor : getExpectedTensors(config))
    names.push_back(std::move(tensor.name));
  if (withOutput && config.tiedEmbeddings)
    names.emplace_back("output");
  return names;
}

bool hasRopePairs(StringRef canonicalName) {
  return canonicalName.ends_with("attention.wq") ||
         canonicalName.ends_with("attention.wk");
}

} // namespace llamaweights
