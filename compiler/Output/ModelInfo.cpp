//===- ModelInfo.cpp - What a model.so says about itself ------------------===//

#include "compiler/Output/ModelInfo.h"

#include "compiler/Output/EmbedTokenizer.h"
#include "dialects/Kernel/IR/KernelDialect.h"
#include "dialects/Llama/IR/LlamaAttributes.h"
#include "dialects/Llama/IR/LlamaTypes.h"
#include "runtime/abi/CacheLayout.h"
#include "runtime/abi/LlamaABI.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FormatVariadic.h"

#include <nlohmann/json.hpp>

using namespace mlir;
using namespace mlir::llama;
using llamaweights::OpenedModel;
using Json = nlohmann::ordered_json;

std::string llama::getCompilerVersion() {
  return "llama-compile " LLAMA_VERSION " (LLVM " LLVM_VERSION_STRING ")";
}

static std::string getTypeName(Type type) {
  return type.isInteger(8) ? "int8" : getName(getElementFormat(type));
}

llvm::Expected<SmallVector<WeightOp>> llama::getPlacedWeights(ModuleOp module) {
  SmallVector<WeightOp> weights(module.getOps<WeightOp>());
  for (WeightOp weight : weights) {
    std::string name = weight.getSymName().str();
    if (!weight.getOffset())
      return llvm::createStringError(
          "'@%s' has no place in the block of weights", name.c_str());
    if (weight.getLayered() && !StringRef(name).starts_with("layers."))
      return llvm::createStringError(
          "'@%s' is layered, expected a name 'layers...'", name.c_str());
  }
  return weights;
}

static Json describeTensors(ArrayRef<WeightOp> weights) {
  Json tensors = Json::array();
  for (WeightOp weight : weights) {
    RankedTensorType type = weight.getElementTensorType();
    for (int64_t layer = 0; layer < weight.getLayerCount(); ++layer) {
      tensors.push_back(
          {{"name", weight.getTensorName(layer)},
           {"dtype", getTypeName(type.getElementType())},
           {"layout", getName(weight.getTensorLayout())},
           {"shape", type.getShape().vec()},
           {"offset", *weight.getOffset() + layer * weight.getTensorBytes()},
           {"bytes", weight.getTensorBytes()}});
      if (weight.getRotated())
        tensors.back()["rotated"] = true;
    }
  }
  return tensors;
}

static uint64_t countTensors(ArrayRef<WeightOp> weights) {
  uint64_t count = 0;
  for (WeightOp weight : weights)
    count += weight.getLayerCount();
  return count;
}

namespace {

/// What the module's attributes say.
struct ModuleFacts {
  std::string activations, kvType;
  int64_t maxSeqLen, weightsBytes;
};

} // namespace

static llvm::Expected<ModuleFacts> readFacts(ModuleOp module) {
  auto activations = module->getAttrOfType<TypeAttr>(kActivationsAttr);
  auto kvType = module->getAttrOfType<TypeAttr>(kCacheTypeAttr);
  auto maxSeqLen = module->getAttrOfType<IntegerAttr>(kMaxSeqLenAttr);
  auto bytes = module->getAttrOfType<IntegerAttr>(kWeightsBytesAttr);
  if (!activations || !kvType || !maxSeqLen || !bytes)
    return llvm::createStringError(
        "the module lacks one of the attributes '%s', '%s', '%s', '%s'",
        kActivationsAttr.data(), kCacheTypeAttr.data(), kMaxSeqLenAttr.data(),
        kWeightsBytesAttr.data());
  return ModuleFacts{getTypeName(activations.getValue()),
                     getTypeName(kvType.getValue()), maxSeqLen.getInt(),
                     bytes.getInt()};
}

/// One phase: its name, what it reads of a layer's weights once (`bytes`) and
/// for each row (`row_bytes`), and how many weights a row is multiplied with.
static Json describePhase(PhaseAttr phase, ArrayRef<WeightOp> weights) {
  auto has = [](ArrayRef<StringAttr> names, StringRef name) {
    return llvm::any_of(names, [&](StringAttr each) { return each == name; });
  };
  int64_t bytes = 0, rowBytes = 0, multiplies = 0;
  for (WeightOp weight : weights) {
    bool isMatrix = has(phase.getMatrices(), weight.getSymName());
    if (!isMatrix && !has(phase.getTables(), weight.getSymName()))
      continue;
    ArrayRef<int64_t> shape = weight.getElementTensorType().getShape();
    if (isMatrix || shape.size() == 1)
      bytes += weight.getTensorBytes();
    else
      rowBytes += weight.getTensorBytes() / shape[0];
    if (isMatrix)
      multiplies += shape[0] * shape[1];
  }
  // A module that was read from a text without locations knows fewer names.
  ArrayRef<StringAttr> names =
      phase.getOps().empty() ? phase.getMatrices() : phase.getOps();
  return {{"name", llvm::join(llvm::map_range(names,
                                              [](StringAttr name) {
                                                return name.getValue();
                                              }),
                              "+")},
          {"bytes", bytes},
          {"row_bytes", rowBytes},
          {"multiplies", multiplies},
          {"rows", phase.getRows().str()},
          {"cache", phase.getCache()}};
}

static Json describePhases(ModuleOp module, ArrayRef<WeightOp> weights) {
  Json phases = Json::array();
  if (auto list = module->getAttrOfType<ArrayAttr>(kPhasesAttr))
    for (auto phase : list.getAsRange<PhaseAttr>())
      phases.push_back(describePhase(phase, weights));
  return phases;
}

/// The first target, and the others in a list of their own.
static Json describeTargets(ArrayRef<TargetInfo> targets,
                            ArrayRef<ModuleOp> modules,
                            ArrayRef<WeightOp> weights) {
  Json result = {{"triple", targets[0].triple}};
  auto describe = [&](size_t i) -> Json {
    return {{"cpu", targets[i].cpu},
            {"features", targets[i].getRequiredFeatures()},
            {"steps", describePhases(modules[i], weights)}};
  };
  result.update(describe(0));
  Json others = Json::array();
  for (size_t i = 1; i < targets.size(); ++i) {
    EntryPoints names = getEntryPoints(i);
    others.push_back(describe(i));
    others.back()["forward"] = names.forward;
    others.back()["workspace"] = names.workspace;
  }
  result["others"] = std::move(others);
  return result;
}

static std::string describe(const OpenedModel &manifest,
                            const ModuleFacts &facts,
                            ArrayRef<WeightOp> weights,
                            ArrayRef<ModuleOp> modules,
                            ArrayRef<TargetInfo> targets, WeightStorage storage,
                            StringRef weightsFile) {
  const llamaweights::ModelConfig &config = manifest.config;
  Json info = {{"name", manifest.name}};
  info.update(config.shapeToJson());
  info["max_seq_len"] = facts.maxSeqLen;
  info["bos_token"] = config.bosToken ? Json(*config.bosToken) : Json();
  info["eos_tokens"] = config.eosTokens;
  info["activations"] = facts.activations;
  info["kv_type"] = facts.kvType;
  info["target"] = describeTargets(targets, modules, weights);
  Json block = {
      {"storage", storage == WeightStorage::Embed ? "embed" : "external"},
      {"file", weightsFile.str()},
      {"bytes", facts.weightsBytes},
      {"tensors", describeTensors(weights)}};
  info["weights"] = std::move(block);
  info["chat_template"] =
      manifest.vocabulary ? manifest.vocabulary->chatTemplate : "";
  info["compiler"] = getCompilerVersion();
  // Text from a checkpoint may be no UTF-8.
  return info.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Copies at most size - 1 bytes: the field stays zero-terminated.
template <size_t size>
static void copyText(char (&field)[size], StringRef text) {
  llvm::copy(text.take_front(size - 1), field);
}

llvm::Expected<ObjectData> llama::describeModel(ArrayRef<ModuleOp> modules,
                                                const OpenedModel &manifest,
                                                ArrayRef<TargetInfo> targets,
                                                WeightStorage storage,
                                                StringRef weightsFile) {
  ModuleOp module = modules[0];
  llvm::Expected<ModuleFacts> facts = readFacts(module);
  if (!facts)
    return facts.takeError();
  llvm::Expected<SmallVector<WeightOp>> weights = getPlacedWeights(module);
  if (!weights)
    return weights.takeError();
  ObjectData data;
  if (manifest.vocabulary) {
    llvm::Expected<std::string> tokenizer =
        llamacompile::serializeTokenizer(*manifest.vocabulary);
    if (!tokenizer)
      return llvm::createStringError(
          "%s: tokenizer: %s", manifest.path.c_str(),
          llvm::toString(tokenizer.takeError()).c_str());
    data.tokenizer = std::move(*tokenizer);
  }
  data.info = describe(manifest, *facts, *weights, modules, targets, storage,
                       weightsFile);
  data.hashesBytes = countTensors(*weights) * LLAMA_HASH_BYTES;
  if (storage == WeightStorage::Embed)
    data.weightsBytes = facts->weightsBytes;

  const llamaweights::ModelConfig &config = manifest.config;
  llama_model_header header = {};
  header.magic = LLAMA_ABI_MAGIC;
  header.abi_version = LLAMA_ABI_VERSION;
  header.header_size = sizeof(header);
  header.weights_bytes = facts->weightsBytes;
  header.info_bytes = data.info.size();
  header.tokenizer_bytes = data.tokenizer.size();
  header.kv_block_bytes = llamaabi::getCacheBlockBytes(
      facts->kvType, config.layers, config.kvHeads, config.headDim);
  header.hashes_bytes = data.hashesBytes;
  copyText(header.compiler, getCompilerVersion());
  copyText(header.triple, targets[0].triple);
  data.header.assign(reinterpret_cast<const char *>(&header), sizeof(header));
  return data;
}
