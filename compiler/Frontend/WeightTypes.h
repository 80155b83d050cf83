//===- WeightTypes.h - How each weight is stored in a model -----*- C++ -*-===//
//
// stored in the checkpoint     with --activations=f32    with bf16
//   f32, f16, bf16 vectors       as stored                 as stored
//   bf16, f16 matrices           as stored                 as stored
//   f32 or quantized matrices    f32                       bf16
//
// With --quantize every matrix becomes !llama.quantized instead. Where it is an
// end of a model of 4 bits, it has 8, and groups of 32 whatever the others
// have: errors there are not averaged out. Integers that are stored with a
// scale for each group of that size keep their values; where they are stored
// with a minimum as well (Q4_1, Q5_1, Q4_K, Q5_K), groups of 32 of the model
// have one.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_FRONTEND_WEIGHTTYPES_H
#define LLAMA_COMPILER_FRONTEND_WEIGHTTYPES_H

#include "compiler/Frontend/Frontend.h"

namespace mlir::llama {

/// The element type in which the tensors of `symbol` enter the model: that
/// of the table above, and f32 or bf16 where layers are stored in several
/// types.
llvm::Expected<Type> getWeightElementType(
    MLIRContext &context, const llamaweights::OpenedModel &manifest,
    StringRef symbol, bool layered, const FrontendOptions &options);

/// Whether the model is to transform what the layers' w2 is multiplied with:
/// where the checkpoint asks for it (SpinQuant) and matrices are quantized. So
/// w2 keeps its integers, and rows lose less when they are rounded. Otherwise
/// the transform is in the rows of w2 already.
bool isHadamardRotated(const llamaweights::OpenedModel &manifest,
                       StringRef symbol, bool layered,
                       const FrontendOptions &options);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_FRONTEND_WEIGHTTYPES_H
