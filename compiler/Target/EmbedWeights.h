//===- EmbedWeights.h - The block of weights, streamed ----------*- C++ -*-===//
//
// checkpoint, list of placed weights  =>  bytes of a file, a panel of rows at a
// time: memory does not grow with the model (P1).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_TARGET_EMBEDWEIGHTS_H
#define LLAMA_COMPILER_TARGET_EMBEDWEIGHTS_H

#include "compiler/Target/ModelInfo.h"
#include "weights/OutputFile.h"

namespace mlir::llama {

/// Called now and then with the bytes written so far and in all.
using Progress = function_ref<void(uint64_t done, uint64_t total)>;

/// Writes every weight at `begin` plus its offset, in its type. Returns BLAKE3
/// of each tensor, in the order of the list and its layers.
llvm::Expected<std::vector<std::string>>
embedWeights(ArrayRef<PlacedWeight> weights,
             const llamaweights::Checkpoint &checkpoint,
             llamaweights::OutputFile &file, uint64_t begin, Progress progress);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_TARGET_EMBEDWEIGHTS_H
