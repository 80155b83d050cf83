//===- Fingerprint.h - Which models compute the same bits -------*- C++ -*-===//
//
// code of each processor, hashes of the tensors, compiler  =>  64 hex digits
//
// Shapes, hyper-parameters, types and layouts are constants of the code, so what
// has the same fingerprint gives the same logits and the same bytes of the cache
// on the same processor. Names, tokenizer and where the weights are do not
// matter.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_FINGERPRINT_H
#define LLAMA_COMPILER_OUTPUT_FINGERPRINT_H

#include "compiler/Output/EmitObject.h"

#include <string>

namespace mlir::llama {

std::string computeFingerprint(ArrayRef<EmittedCode> code,
                               ArrayRef<char> tensorHashes);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_FINGERPRINT_H
