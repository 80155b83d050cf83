//===- CompileOptions.cpp - What a compilation is asked for ---------------===//

#include "compiler/Driver/CompileOptions.h"

#include "compiler/Output/SymbolPrefix.h"

using namespace mlir;
using namespace mlir::llama;

static llvm::Expected<std::optional<Quantization>>
getQuantization(const CompileOptions &options) {
  if (options.bits == 0) {
    if (options.groupSize)
      return llvm::createStringError(
          "--group-size=%u: needs --quantize=int8 or int4", *options.groupSize);
    if (options.activationBits)
      return llvm::createStringError(
          "--activation-bits=%u: needs --quantize=int8 or int4",
          *options.activationBits);
    if (options.isAsymmetric)
      return llvm::createStringError(
          "--asymmetric: needs --quantize=int8 or int4");
    return std::nullopt;
  }
  unsigned group = options.groupSize.value_or(32);
  if (group != 32 && group != 64 && group != 128 && group != 256)
    return llvm::createStringError(
        "--group-size=%u: expected 32, 64, 128 or 256", group);
  unsigned rowBits = options.activationBits.value_or(8);
  if (rowBits != 8 && rowBits != 16)
    return llvm::createStringError("--activation-bits=%u: expected 8 or 16",
                                   rowBits);
  return Quantization{options.bits, group, options.isAsymmetric, rowBits};
}

llvm::Expected<FrontendOptions>
CompileOptions::getFrontendOptions(int64_t positions) const {
  if (maxSeqLen && (*maxSeqLen < 1 || *maxSeqLen > positions))
    return llvm::createStringError("--max-seq-len=%lld: expected 1 to %lld",
                                   static_cast<long long>(*maxSeqLen),
                                   static_cast<long long>(positions));
  FrontendOptions frontend;
  frontend.activations = activations;
  bool isF32 = activations == ActivationType::F32;
  frontend.kvType = kvType.value_or(isF32 ? CacheType::F32 : CacheType::BF16);
  frontend.maxSeqLen = maxSeqLen.value_or(0);
  if (llvm::Error error =
          getQuantization(*this).moveInto(frontend.quantization))
    return std::move(error);
  return frontend;
}

llvm::Error CompileOptions::checkSymbolPrefix() const {
  if (!symbolPrefix)
    return llvm::Error::success();
  std::string problem = mlir::llama::checkSymbolPrefix(*symbolPrefix);
  if (problem.empty() && !isModel())
    problem = "needs --emit=so or obj, found " + getStageName(lastStage).str();
  if (problem.empty() && storage == WeightStorage::External)
    problem =
        "needs --weights=embed: a model that is linked into a program has "
        "no file that others could lie beside";
  if (problem.empty())
    return llvm::Error::success();
  return llvm::createStringError("--symbol-prefix=" + *symbolPrefix + ": " +
                                 problem);
}
