//===- LinkSharedObject.h - Object file to model.so -------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_OUTPUT_LINKSHAREDOBJECT_H
#define LLAMA_COMPILER_OUTPUT_LINKSHAREDOBJECT_H

#include "weights/OutputFile.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::llama {

/// Links `objects` into `file`, with lld in this process.
llvm::Error linkSharedObject(llvm::ArrayRef<llvm::SmallVector<char, 0>> objects,
                             llamaweights::OutputFile &file);

/// Gives the section that the object reserved for the weights `bytes` bytes of
/// the file, after everything else, and makes it constant. Returns where they
/// begin. Until then the section has a size and no contents, so the linker
/// neither reads nor copies them.
llvm::Expected<uint64_t> openWeightsSection(llamaweights::OutputFile &file,
                                            uint64_t bytes);

/// Fills llama_hashes of a file that was linked.
llvm::Error writeHashes(llamaweights::OutputFile &file,
                        llvm::ArrayRef<char> hashes);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_LINKSHAREDOBJECT_H
