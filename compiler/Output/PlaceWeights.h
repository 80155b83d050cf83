//===- PlaceWeights.h - Room for weights in a linked file -------*- C++ -*-===//
//
//   .lrodata NOBITS  =>  .lrodata PROGBITS at the end of the file
//
// The section has a size and no contents before, so the linker neither reads nor
// copies weights.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_PLACEWEIGHTS_H
#define LLAMA_COMPILER_OUTPUT_PLACEWEIGHTS_H

#include "weights/OutputFile.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::llama {

/// Section of the weights in what is linked.
inline constexpr llvm::StringLiteral kWeightsSection = ".lrodata";

/// Gives that section `bytes` bytes of the file, after everything else, and makes
/// it and its segment, if it is in one, constant. Returns where they begin.
llvm::Expected<uint64_t> openWeightsSection(llamaweights::OutputFile &file,
                                            uint64_t bytes);

/// Overwrites bytes of a section, from byte `at` of it on.
llvm::Error overwriteSection(llamaweights::OutputFile &file,
                             llvm::StringRef name, uint64_t at,
                             llvm::ArrayRef<char> bytes);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_PLACEWEIGHTS_H
