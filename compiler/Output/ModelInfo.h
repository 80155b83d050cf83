//===- ModelInfo.h - What a model.so says about itself ----------*- C++ -*-===//
//
// attributes of the module + the checkpoint's hyper-parameters
//   =>  llama_model_header and the JSON of llama_info
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_MODELINFO_H
#define LLAMA_COMPILER_OUTPUT_MODELINFO_H

#include "compiler/Output/EmitData.h"
#include "dialects/Llama/IR/LlamaOps.h"
#include "runtime/abi/ModelInfo.h"
#include "weights/Formats/OpenedModel.h"

namespace mlir::llama {

using llamaabi::WeightStorage;

/// "llama-compile 0.1.0 (LLVM 22.1.8)"
std::string getCompilerVersion();

/// The weights of a module that has been through llama-assign-weight-offsets.
llvm::Expected<SmallVector<WeightOp>> getPlacedWeights(ModuleOp module);

/// What was compiled for one target.
struct CompiledTarget {
  ModuleOp module; ///< of the LLVM stage
  const TargetInfo &target;
  const EmittedCode &code;
};

/// Header, info and tokenizer for targets in the order of getEntryPoints.
/// `weightsFile` is the name of the file beside the model if weights are
/// external. The fingerprint is zeros: it is known when weights are written.
llvm::Expected<ObjectData>
describeModel(ArrayRef<CompiledTarget> compiled,
              const llamaweights::OpenedModel &manifest, WeightStorage storage,
              StringRef weightsFile);

/// Where the digits of the fingerprint begin in an info.
size_t findFingerprint(StringRef info);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_MODELINFO_H
