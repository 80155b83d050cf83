//===- ModelInfo.h - What a model.so says about itself ----------*- C++ -*-===//
//
// attributes of the module + the checkpoint's hyper-parameters
//   =>  llama_model_header and the JSON of llama_info
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_MODELINFO_H
#define LLAMA_COMPILER_OUTPUT_MODELINFO_H

#include "compiler/Output/EmitObject.h"
#include "dialects/Llama/IR/LlamaOps.h"
#include "runtime/abi/ModelInfo.h"
#include "weights/Formats/OpenedModel.h"

namespace mlir::llama {

using llamaabi::WeightStorage;

/// "llama-compile 0.1.0 (LLVM 22.1.8)"
std::string getCompilerVersion();

/// The weights of a module that has been through llama-assign-weight-offsets.
llvm::Expected<SmallVector<WeightOp>> getPlacedWeights(ModuleOp module);

/// Header, info and tokenizer for modules of the LLVM stage, one for each
/// target, in the order of getEntryPoints. `weightsFile` is the name of the
/// file beside the model if weights are external.
llvm::Expected<ObjectData> describeModel(
    ArrayRef<ModuleOp> modules, const llamaweights::OpenedModel &manifest,
    ArrayRef<TargetInfo> targets, WeightStorage storage, StringRef weightsFile);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_MODELINFO_H
