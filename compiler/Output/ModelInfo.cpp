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

using namespace mlir;
using namespace mlir::llama;
using llamaabi::ModelInfo;
using llamaweights::OpenedModel;

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

static std::vector<llamaabi::TensorEntry>
describeTensors(ArrayRef<WeightOp> weights) {
  std::vector<llamaabi::TensorEntry> tensors;
  for (WeightOp weight : weights) {
    RankedTensorType type = weight.getElementTensorType();
    int64_t offset = *weight.getOffset(), bytes = weight.getTensorBytes();
    for (int64_t layer = 0; layer < weight.getLayerCount(); ++layer)
      tensors.push_back({weight.getTensorName(layer),
                         getElementFormat(type.getElementType()),
                         weight.getTensorLayout(), type.getShape().vec(),
                         offset + layer * bytes, bytes, weight.getRotated()});
  }
  return tensors;
}

/// What the module's attributes say.
static llvm::Error describeModule(ModuleOp module, ModelInfo &info) {
  auto activations = module->getAttrOfType<TypeAttr>(kActivationsAttr);
  auto kvType = module->getAttrOfType<TypeAttr>(kCacheTypeAttr);
  auto maxSeqLen = module->getAttrOfType<IntegerAttr>(kMaxSeqLenAttr);
  auto bytes = module->getAttrOfType<IntegerAttr>(kWeightsBytesAttr);
  if (!activations || !kvType || !maxSeqLen || !bytes)
    return llvm::createStringError(
        "the module lacks one of the attributes '%s', '%s', '%s', '%s'",
        kActivationsAttr.data(), kCacheTypeAttr.data(), kMaxSeqLenAttr.data(),
        kWeightsBytesAttr.data());
  info.activations = getTypeName(activations.getValue());
  info.kvType = getTypeName(kvType.getValue());
  info.maxSeqLen = maxSeqLen.getInt();
  info.weightsBytes = bytes.getInt();
  return llvm::Error::success();
}

/// What the checkpoint's hyper-parameters and its tokenizer say.
static void describeCheckpoint(const OpenedModel &manifest, ModelInfo &info) {
  const llamaweights::ModelConfig &config = manifest.config;
  info.name = manifest.name;
  info.hidden = config.hidden;
  info.ffn = config.ffn;
  info.vocab = config.vocab;
  info.layers = config.layers;
  info.heads = config.heads;
  info.kvHeads = config.kvHeads;
  info.headDim = config.headDim;
  info.bosToken = config.bosToken;
  info.eosTokens.assign(config.eosTokens.begin(), config.eosTokens.end());
  if (!manifest.vocabulary)
    return;
  const llamaweights::Vocabulary &vocabulary = *manifest.vocabulary;
  info.chatTemplate = vocabulary.chatTemplate;
  info.chatProblem = vocabulary.chatProblem;
  for (const auto &[name, text] : vocabulary.chatTemplates)
    info.chatTemplates.push_back({name, text});
  for (const auto &[name, text] : vocabulary.specialTokens)
    info.specialTokens.push_back({name, text});
}

/// What a phase reads of a layer's weights once and for each row, and how many
/// weights a row is multiplied with.
static void countWeights(PhaseAttr attribute, ArrayRef<WeightOp> weights,
                         llamaabi::Phase &phase) {
  auto has = [](ArrayRef<StringAttr> names, StringRef name) {
    return llvm::any_of(names, [&](StringAttr each) { return each == name; });
  };
  for (WeightOp weight : weights) {
    bool isMatrix = has(attribute.getMatrices(), weight.getSymName());
    if (!isMatrix && !has(attribute.getTables(), weight.getSymName()))
      continue;
    ArrayRef<int64_t> shape = weight.getElementTensorType().getShape();
    if (isMatrix || shape.size() == 1)
      phase.bytes += weight.getTensorBytes();
    else
      phase.rowBytes += weight.getTensorBytes() / shape[0];
    if (isMatrix)
      phase.multiplies += shape[0] * shape[1];
  }
}

static llvm::Expected<llamaabi::Phase>
describePhase(PhaseAttr attribute, ArrayRef<WeightOp> weights) {
  llamaabi::Phase phase;
  // A module that was read from a text without locations knows fewer names.
  ArrayRef<StringAttr> names =
      attribute.getOps().empty() ? attribute.getMatrices() : attribute.getOps();
  phase.name = llvm::join(
      llvm::map_range(names, [](StringAttr name) { return name.getValue(); }),
      "+");
  countWeights(attribute, weights, phase);
  StringRef rows = attribute.getRows();
  std::optional<llamaabi::PhaseRows> known = llamaabi::parsePhaseRows(rows);
  if (!known)
    return llvm::createStringError("a phase is of rows '%s', which are unknown",
                                   rows.str().c_str());
  phase.rows = *known;
  phase.readsCache = attribute.getCache();
  return phase;
}

static llvm::Error describeVariants(ArrayRef<CompiledTarget> compiled,
                                    ArrayRef<WeightOp> weights,
                                    ModelInfo &info) {
  info.triple = compiled[0].target.triple;
  for (auto [i, each] : llvm::enumerate(compiled)) {
    EntryPoints names = getEntryPoints(i);
    llamaabi::CodeVariant &variant = info.variants.emplace_back();
    variant = {each.target.cpu,
               each.target.getRequiredFeatures(),
               names.forward,
               names.workspace,
               {},
               each.module->hasAttr(kRowsAlikeAttr),
               static_cast<int64_t>(each.code.stackBytes)};
    auto phases = each.module->getAttrOfType<ArrayAttr>(kPhasesAttr);
    if (!phases)
      continue;
    for (auto attribute : phases.getAsRange<PhaseAttr>()) {
      auto phase = describePhase(attribute, weights);
      if (!phase)
        return phase.takeError();
      variant.phases.push_back(std::move(*phase));
    }
  }
  return llvm::Error::success();
}

/// Copies at most size - 1 bytes: the field stays zero-terminated.
template <size_t size>
static void copyText(char (&field)[size], StringRef text) {
  llvm::copy(text.take_front(size - 1), field);
}

static llama_model_header makeHeader(const ModelInfo &info,
                                     const ObjectData &data) {
  llama_model_header header = {};
  header.magic = LLAMA_ABI_MAGIC;
  header.abi_version = LLAMA_ABI_VERSION;
  header.header_size = sizeof(header);
  header.weights_bytes = info.weightsBytes;
  header.info_bytes = data.info.size();
  header.tokenizer_bytes = data.tokenizer.size();
  header.kv_block_bytes = llamaabi::getCacheBlockBytes(
      info.kvType, info.layers, info.kvHeads, info.headDim);
  header.hashes_bytes = data.hashesBytes;
  copyText(header.compiler, info.compiler);
  copyText(header.triple, info.triple);
  return header;
}

size_t llama::findFingerprint(StringRef info) {
  // The last key but for none: nothing in a text can look like it, whose quotes
  // are escaped.
  constexpr StringLiteral kKey = "\"fingerprint\":\"";
  return info.rfind(kKey) + kKey.size();
}

llvm::Expected<ObjectData>
llama::describeModel(ArrayRef<CompiledTarget> compiled,
                     const OpenedModel &manifest, WeightStorage storage,
                     StringRef weightsFile) {
  ModelInfo info;
  describeCheckpoint(manifest, info);
  ModuleOp first = compiled[0].module;
  if (llvm::Error error = describeModule(first, info))
    return std::move(error);
  llvm::Expected<SmallVector<WeightOp>> weights = getPlacedWeights(first);
  if (!weights)
    return weights.takeError();
  if (llvm::Error error = describeVariants(compiled, *weights, info))
    return std::move(error);
  info.storage = storage;
  info.weightsFile = weightsFile;
  info.tensors = describeTensors(*weights);
  info.compiler = getCompilerVersion();
  info.fingerprint.assign(size_t(2) * LLAMA_HASH_BYTES, '0');

  ObjectData data;
  if (manifest.vocabulary) {
    llvm::Expected<std::string> tokenizer =
        mlir::llama::serializeTokenizer(*manifest.vocabulary);
    if (!tokenizer)
      return llvm::createStringError(
          "%s: tokenizer: %s", manifest.path.c_str(),
          llvm::toString(tokenizer.takeError()).c_str());
    data.tokenizer = std::move(*tokenizer);
  }
  data.info = llamaabi::toJson(info);
  data.hashesBytes = info.tensors.size() * LLAMA_HASH_BYTES;
  if (storage == WeightStorage::Embed)
    data.weightsBytes = info.weightsBytes;
  llama_model_header header = makeHeader(info, data);
  data.header.assign(reinterpret_cast<const char *>(&header), sizeof(header));
  return data;
}
