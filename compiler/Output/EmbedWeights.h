//===- EmbedWeights.h - The block of weights, streamed ----------*- C++ -*-===//
//
// checkpoint, llama.weight ops with their offsets  =>  bytes of a file, some
// rows at a time: memory does not grow with the model (P1).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_EMBEDWEIGHTS_H
#define LLAMA_COMPILER_OUTPUT_EMBEDWEIGHTS_H

#include "compiler/Output/ModelInfo.h"
#include "compiler/Output/StoredRows.h"
#include "weights/OutputFile.h"

namespace mlir::llama {

/// Called now and then with the bytes written so far and in all.
using Progress = function_ref<void(uint64_t done, uint64_t total)>;

/// Writes every weight at `begin` plus its offset, in its type and layout. With
/// NonFiniteWeights::Refused the first NaN or infinity is an error.
/// Returns BLAKE3 of each tensor, in the order of the list and its layers, one
/// after the other.
llvm::Expected<std::vector<char>>
embedWeights(ArrayRef<WeightOp> weights,
             const llamaweights::Checkpoint &checkpoint,
             llamaweights::OutputFile &file, uint64_t begin,
             NonFiniteWeights policy, Progress progress);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_EMBEDWEIGHTS_H
