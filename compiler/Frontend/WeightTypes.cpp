//===- WeightTypes.cpp - How each weight is stored in a model -------------===//

#include "compiler/Frontend/WeightTypes.h"

#include "dialects/Llama/IR/LlamaOps.h"
#include "weights/Quantization/Quantize.h"

#include "mlir/IR/Builders.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::llama;
using llamaweights::DType;
using llamaweights::TensorInfo;

// Of the ends of a model whose layers have 4 bits, and of what checkpoints
// store as integers.
static constexpr unsigned kEndGroup = 32;
static constexpr unsigned kStoredGroup = 32;

static bool isFloat(DType type) {
  return type == DType::F32 || type == DType::F16 || type == DType::BF16;
}

static DType chooseType(const TensorInfo &tensor, ActivationType activations) {
  bool isVector = tensor.shape.size() == 1;
  if (isFloat(tensor.dtype) && (isVector || tensor.dtype != DType::F32))
    return tensor.dtype;
  return activations == ActivationType::F32 ? DType::F32 : DType::BF16;
}

static Type getElementType(MLIRContext &context, DType type) {
  Builder builder(&context);
  switch (type) {
  case DType::F16:
    return builder.getF16Type();
  case DType::BF16:
    return builder.getBF16Type();
  default:
    return builder.getF32Type();
  }
}

/// Whether blocks of that type hold what the type with minimums holds.
static bool hasMinimums(DType stored, unsigned bits, unsigned group) {
  auto found = unsigned(llamaweights::getMinimumBits(stored));
  return found != 0 && found <= bits && group == kStoredGroup;
}

/// The type of a weight whose tensors are stored as `stored`, one or several.
static Type getQuantizedType(MLIRContext &context, Quantization wanted,
                             bool layered, ArrayRef<DType> stored) {
  auto haveMinimums = [&](unsigned bits, unsigned group) {
    return llvm::any_of(
        stored, [&](DType type) { return hasMinimums(type, bits, group); });
  };
  if (layered || wanted.bits == 8)
    return QuantizedType::get(&context, wanted.bits, wanted.group,
                              wanted.asymmetric ||
                                  haveMinimums(wanted.bits, wanted.group));
  return QuantizedType::get(&context, 8, kEndGroup, haveMinimums(8, kEndGroup));
}

/// One type for layers that are stored in several: what loses least.
static DType joinTypes(const TensorInfo &tensor, ActivationType activations) {
  bool isWide = activations == ActivationType::F32 || tensor.shape.size() == 1;
  return isWide ? DType::F32 : DType::BF16;
}

llvm::Expected<Type> llama::getWeightElementType(
    MLIRContext &context, const llamaweights::OpenedModel &manifest,
    StringRef symbol, bool layered, const FrontendOptions &options) {
  ActivationType activations = options.activations;
  DType chosen = DType::F32;
  SmallVector<DType> stored;
  int64_t layers = layered ? manifest.config.layers : 1;
  for (int64_t layer = 0; layer < layers; ++layer) {
    std::string name =
        layered ? getLayerTensorName(symbol, layer) : symbol.str();
    const TensorInfo *tensor = manifest.checkpoint->find(name);
    if (!tensor)
      return llvm::createStringError("%s: tensor '%s' is missing",
                                     manifest.path.c_str(), name.c_str());
    if (options.quantization && tensor->shape.size() == 2) {
      stored.push_back(tensor->dtype);
      continue;
    }
    DType type = chooseType(*tensor, activations);
    bool differs = layer > 0 && type != chosen;
    chosen = differs ? joinTypes(*tensor, activations) : type;
    if (differs)
      break;
  }
  if (!stored.empty())
    return getQuantizedType(context, *options.quantization, layered, stored);
  return getElementType(context, chosen);
}

bool llama::isHadamardRotated(const llamaweights::OpenedModel &manifest,
                              StringRef symbol, bool layered,
                              const FrontendOptions &options) {
  if (!options.quantization || !layered)
    return false;
  const llamaweights::Checkpoint &checkpoint = *manifest.checkpoint;
  for (int64_t layer = 0; layer < manifest.config.layers; ++layer) {
    const TensorInfo *tensor =
        checkpoint.find(getLayerTensorName(symbol, layer));
    const llamaweights::QuantizedMatrix *matrix =
        tensor ? checkpoint.getQuantized(*tensor) : nullptr;
    if (!matrix || !matrix->isHadamardRotated)
      return false;
  }
  return true;
}
