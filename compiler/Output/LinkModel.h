//===- LinkModel.h - Object files to one ------------------------*- C++ -*-===//
//
// code of each processor, data  =>  model.so, or one object for other programs
//
// With lld, in this process. Weights are not there yet: PlaceWeights.h.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_LINKMODEL_H
#define LLAMA_COMPILER_OUTPUT_LINKMODEL_H

#include "compiler/Output/EmitData.h"
#include "weights/OutputFile.h"

namespace mlir::llama {

/// `symbolPrefix`: the only symbol that is exported, by a library that programs
/// are linked with under the file name `name`; "": those of LlamaABI.h.
llvm::Error linkSharedObject(ArrayRef<Code> objects, StringRef symbolPrefix,
                             StringRef name, llamaweights::OutputFile &file);

/// `symbol`: the only one that is global.
llvm::Error linkObject(ArrayRef<Code> objects, StringRef symbol,
                       llamaweights::OutputFile &file);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_LINKMODEL_H
